"""Single sign-on by OpenID Connect (docs/SSO.md): the server is the provider's client; pages never see its tokens."""
