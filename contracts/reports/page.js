(() => {
  const form = document.getElementById("filters");
  const findings = [...document.querySelectorAll(".finding")];
  const count = document.getElementById("count");
  const none = document.getElementById("none");
  const texts = new Map(findings.map((one) => [one, one.textContent.toLowerCase()]));
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
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
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
