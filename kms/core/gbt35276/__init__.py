"""An SM2 key pair handed over under another SM2 key (GB/T 35276-2017 §7.4, GM/T 0009)."""
