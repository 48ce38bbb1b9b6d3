"""Who is asking: users, tokens, sign-in, and the sessions of pages."""
