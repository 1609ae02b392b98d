"""How clients reach a double without a socket: adapters and transports, and interception of real URLs."""
