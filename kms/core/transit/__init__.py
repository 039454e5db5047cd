"""Transit's language: ``vault:v1:`` texts, hash names, marshaling. HashiCorp Vault's shapes."""
