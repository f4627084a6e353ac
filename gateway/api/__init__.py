"""The HTTP API, one file a resource. A route is a translation: parse, call, show."""
