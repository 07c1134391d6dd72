"""One file a resource: parse, call one flow, answer."""
