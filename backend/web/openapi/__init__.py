"""The API's description (OpenAPI 3.1), and the blueprint that keeps a route's operation beside the route."""
