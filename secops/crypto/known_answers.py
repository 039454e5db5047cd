"""Published test vectors that every engine must reproduce before it is used.

Each constant names its source. They are data: what is done with them stands in
``self_test``.
"""

from __future__ import annotations

from typing import Final

_hex: Final = bytes.fromhex

# GB/T 32905-2016 A.1, FIPS 180-4 and FIPS 202's examples, message "abc"
HASHES: Final = {
    "sha224": _hex("23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    "sha3_224": _hex("e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
    "sha3_256": _hex("3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
    "sha3_384": _hex(
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
        "98d88cea927ac7f539f1edf228376d25"
    ),
    "sha3_512": _hex(
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
        "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"
    ),
    "sm3": _hex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    "sha256": _hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    "sha384": _hex(
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
        "8086072ba1e7cc2358baeca134c825a7"
    ),
    "sha512": _hex(
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
}

# RFC 4231 §4.3
HMAC_SHA256_KEY: Final = b"Jefe"
HMAC_SHA256_MESSAGE: Final = b"what do ya want for nothing?"
HMAC_SHA256_TAG: Final = _hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")

# Wycheproof hmac_sm3_test.json, tcId 6
HMAC_SM3_KEY: Final = _hex("b7938910f518f13205ca1492c669001a14ff913c8ab4a0dc3564e7418e91297c")
HMAC_SM3_MESSAGE: Final = _hex("a4a6ef6ebd")
HMAC_SM3_TAG: Final = _hex("b3b2dd59ada8c7a344484961bccd163a57fd341d6d3f4ade897ef1656c122d3d")

# RFC 5869 A.1
HKDF_KEY: Final = b"\x0b" * 22
HKDF_SALT: Final = bytes(range(13))
HKDF_INFO: Final = bytes(range(0xF0, 0xFA))
HKDF_OUTPUT: Final = _hex(
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
)

# RFC 8998 A.1
SM4_GCM_KEY: Final = _hex("0123456789abcdeffedcba9876543210")
SM4_GCM_NONCE: Final = _hex("00001234567800000000abcd")
SM4_GCM_AAD: Final = _hex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
SM4_GCM_PLAINTEXT: Final = _hex(
    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
    "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
)
SM4_GCM_CIPHERTEXT: Final = _hex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)

# GB/T 32907-2016 A.1: one block. draft-ribose-cfrg-sm4-10 A.2.2.1 and A.2.5.1: CBC, CTR
SM4_BLOCK: Final = _hex("681edf34d206965e86b3e94f536e4246")
SM4_IV: Final = _hex("000102030405060708090a0b0c0d0e0f")
SM4_CBC_PLAINTEXT: Final = _hex("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbb")
SM4_CBC_CIPHERTEXT: Final = _hex("78ebb11cc40b0a48312aaeb2040244cb4cb7016951909226979b0d15dc6a8f6d")
SM4_CTR_PLAINTEXT: Final = _hex(
    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
    "eeeeeeeeeeeeeeeeffffffffffffffffaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb"
)
SM4_CTR_CIPHERTEXT: Final = _hex(
    "ac3236cb970cc20791364c395a1342d1a3cbc1878c6f30cd074cce385cdd70c7"
    "f234bc0e24c11980fd1286310ce37b926e02fcd0faa0baf38b2933851d824514"
)

# RFC 8998 A.2, same key, nonce, content and associated data as A.1
SM4_CCM_CIPHERTEXT: Final = _hex(
    "48af93501fa62adbcd414cce6034d895dda1bf8f132f042098661572e7483094"
    "fd12e518ce062c98acee28d95df4416bed31a2f04476c18bb40c84a74b97dc5b"
    "16842d4fa186f56ab33256971fa110f4"
)

# Wycheproof aes_gcm_test.json, tcId 91
AES_GCM_KEY: Final = _hex("92ace3e348cd821092cd921aa3546374299ab46209691bc28b8752d17f123c20")
AES_GCM_NONCE: Final = _hex("00112233445566778899aabb")
AES_GCM_AAD: Final = _hex("00000000ffffffff")
AES_GCM_PLAINTEXT: Final = _hex("00010203040506070809")
AES_GCM_CIPHERTEXT: Final = _hex("e27abdd2d2a53d2f136b9a4a2579529301bcfb71c78d4060f52c")

# RFC 8439 §2.8.2
CHACHA_KEY: Final = bytes(range(0x80, 0xA0))
CHACHA_NONCE: Final = _hex("070000004041424344454647")
CHACHA_AAD: Final = _hex("50515253c0c1c2c3c4c5c6c7")
CHACHA_PLAINTEXT: Final = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the"
    b" future, sunscreen would be it."
)
CHACHA_CIPHERTEXT: Final = _hex(
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
    "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
    "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
    "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"
)

# GB/T 32918.5-2017 A.2 (signature) and A.3 (encryption), recommended curve, default user id
SM2_SCALAR: Final = _hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
SM2_POINT: Final = _hex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SM2_MESSAGE: Final = b"message digest"
SM2_IDENTITY_DIGEST: Final = _hex(
    "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
)
SM2_MESSAGE_DIGEST: Final = _hex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
SM2_SIGNATURE: Final = _hex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
SM2_PLAINTEXT: Final = b"encryption standard"
SM2_CIPHERTEXT: Final = _hex(
    "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)

# RFC 6979 A.2.5, SHA-256, message "sample"
ECDSA_SPKI: Final = _hex(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
ECDSA_MESSAGE: Final = b"sample"
ECDSA_SIGNATURE: Final = _hex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)

# RFC 8032 §7.1 TEST 2
ED25519_PKCS8: Final = _hex(
    "302e020100300506032b657004220420"
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
)
ED25519_PUBLIC: Final = _hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
ED25519_MESSAGE: Final = b"\x72"
ED25519_SIGNATURE: Final = _hex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)

# RFC 9881 appendix C.1: the seed 00 01 … 1f, and SHA-256 of the public keys it gives
ML_DSA_SEED: Final = bytes(range(32))
ML_DSA_HEADS: Final = {
    "ml-dsa-44": _hex("3034020100300b060960864801650304031104228020"),
    "ml-dsa-65": _hex("3034020100300b060960864801650304031204228020"),
    "ml-dsa-87": _hex("3034020100300b060960864801650304031304228020"),
}
ML_DSA_PUBLIC_SHA256: Final = {
    "ml-dsa-44": _hex("9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46"),
    "ml-dsa-65": _hex("d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9"),
    "ml-dsa-87": _hex("91dc389cfaa01470b7f66eee45a4ae9026d154817c754dfe22298b3fa241ffcd"),
}

# Wycheproof rsa_pss_2048_sha256_mgf1_32_test.json, tcId 2
RSA_SPKI: Final = _hex(
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100a2b451a07d0aa5f96e4556"
    "71513550514a8a5b462ebef717094fa1fee82224e637f9746d3f7cafd31878d80325b6ef5a1700f65903b469"
    "429e89d6eac8845097b5ab393189db92512ed8a7711a1253facd20f79c15e8247f3d3e42e46e48c98e254a2f"
    "e9765313a03eff8f17e1a029397a1fa26a8dce26f490ed81299615d9814c22da610428e09c7d9658594266f5"
    "c021d0fceca08d945a12be82de4d1ece6b4c03145b5d3495d4ed5411eb878daf05fd7afc3e09ada0f1126422"
    "f590975a1969816f48698bcbba1b4d9cae79d460d8f9f85e7975005d9bc22c4e5ac0f7c1a45d12569a62807d"
    "3b9a02e5a530e773066f453d1f5b4c2e9cf7820283f742b9d50203010001"
)
RSA_MESSAGE: Final = _hex("0000000000000000000000000000000000000000")
RSA_SIGNATURE: Final = _hex(
    "0658c68fe0895646056d9bca422a64fe48813b4e14f0c8c4122e56d345b6813dc6286ffde014617e351c7af0"
    "a0d2c0f285def79cb734e1e055a25fa6fddc1c07da17b4b235c637413b1849c24311fa72331f4c0458c364a4"
    "916de8619b884d7e37288fad12926fc091f4851686a04fd0a504dbce3db370663a6ea6128fea86c2ca94c63e"
    "0d34d7f2c845b5d71d9a5e544451f524a451acb85c49bba7864e0a34a48613a819caf3dfd0d510c940f1df21"
    "c3373915be1f3509a557fa4d5a4e9f273e85467961133e2482c0907386454228fb0246638616fc31bbb6fa7c"
    "2361b8035994eec69a923f4c0bb0ba8696dfe8b1400c2398d7b343fdf498b1116c8de602"
)
