"""Key backends: software under the root key, PKCS#11 tokens, SDF crypto machines."""
