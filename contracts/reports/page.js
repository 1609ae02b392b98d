(() => {
  const form = document.getElementById("filters");
  const findings = [...document.querySelectorAll(".finding")];
  const count = document.getElementById("count");
  const none = document.getElementById("none");
  const texts = new Map(findings.map((one) => [one, one.textContent.toLowerCase()]));
  // The filters stand in the address (#check=sort_sorts&text=price), so that a view can be kept and sent on.
  const fill = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const field of form.elements) if (field.name && asked.has(field.name)) field.value = asked.get(field.name);
  };
  const keep = (wanted) => {
    const given = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
    history.replaceState(null, "", given ? `#${given}` : location.pathname + location.search);
  };
  const apply = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const text = wanted.text.toLowerCase();
    let shown = 0;
    for (const one of findings) {
      const fits = ["family", "check", "side", "operation"].every((name) => !wanted[name] || one.dataset[name] === wanted[name]);
      one.hidden = !(fits && texts.get(one).includes(text));
      shown += !one.hidden;
    }
    count.textContent = shown === findings.length ? `${shown}` : `${shown} of ${findings.length}`;
    none.hidden = shown > 0;
  };
  if (form) {
    form.addEventListener("input", () => { apply(); keep(Object.fromEntries(new FormData(form))); });
    form.addEventListener("submit", (event) => event.preventDefault());
    fill();
    apply();
  }
  for (const button of document.querySelectorAll("details.code button")) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.nextElementSibling.textContent);
      button.textContent = "copied";
    });
  }
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named) named.open = true;
})();
