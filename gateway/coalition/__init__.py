"""The one coalition of a gateway, and the moment that its business rules go by."""
