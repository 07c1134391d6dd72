"""HTTP and sockets: parse, call one flow, answer. One file a resource."""
