"""Other servers, asked by HTTP(S): images are fetched from them, and webhooks are sent to them."""
