"""All that Relais knows, without any web in it."""
