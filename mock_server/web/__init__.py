"""Flask as the host: the application factory, the entry of mocked traffic, the control API, the servers."""
