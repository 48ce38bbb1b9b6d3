"""What is generated from the Python types: the OpenAPI document, the reference, the TypeScript types."""
