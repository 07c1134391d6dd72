"""HTTP and Socket.IO: read the request, call one flow, answer. One file a resource."""
