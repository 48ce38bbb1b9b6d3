"""What is generated from the Python types: the TypeScript types."""
