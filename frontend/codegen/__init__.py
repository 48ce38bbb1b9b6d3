"""What is generated from the types: the OpenAPI document, the reference, and the types of the two clients."""
