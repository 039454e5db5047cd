"""The OpenID provider: applications, authorization, tokens, what a token is worth."""
