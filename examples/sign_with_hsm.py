r"""Label a file with a key that stays in a hardware security module (PKCS #11).

The private key never leaves the module: synthmark hands it the bytes to sign. Any
module with a PKCS #11 library will do; SoftHSM stands in for one here::

    pip install synthmark python-pkcs11
    export PIN=1234
    softhsm2-util --init-token --free --label labels --pin $PIN --so-pin 5678
    pkcs11-tool --module libsofthsm2.so --token-label labels --login --pin $PIN \
        --keypairgen --key-type EC:prime256v1 --label signer
    python sign_with_hsm.py --module libsofthsm2.so --token labels --key signer \
        --chain chain.pem picture.png labeled.png

The certificate in ``chain.pem`` is the one that was issued for the key ``signer``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pkcs11

import synthmark as sm


def main() -> None:
    """Label one file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    for name in ("module", "token", "key", "chain"):
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    token = pkcs11.lib(asked.module).get_token(token_label=asked.token)
    with token.open(user_pin=os.environ["PIN"]) as session:
        key = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=asked.key)
        signer = sm.Signer.from_callback(
            signing(key), Path(asked.chain).read_text(), alg="es256"
        )
        result = sm.Home().labeler(signer=signer).label(asked.source, asked.target)
    print(f"{result.target}: {'labeled' if result.complete else 'INCOMPLETE'}")


def signing(key: Any) -> Callable[[bytes], bytes]:
    """Return what signs bytes with a key on the curve P-256."""

    def sign(content: bytes) -> bytes:
        # Few modules hash by themselves; this mechanism is in all of them.
        digest = sha256(content).digest()
        return bytes(key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))

    return sign


if __name__ == "__main__":
    main()
