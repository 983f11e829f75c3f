from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from synthmark.labeling.errors import CertificateError, OutputExists
from synthmark.labeling.model import State
from synthmark.labeling.provenance.certificates import (
    DEVELOPMENT,
    Credentials,
    check,
    describe,
    is_development,
    load_credentials,
    make_development_chain,
    save_credentials,
)
from synthmark.labeling.provenance.manifest import Signer, read
from synthmark.labeling.provenance.manifest import sign as sign_whole


def sign(*given, **named):
    """Return the signed file alone, without the store."""
    return sign_whole(*given, **named)[0]


DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")


def errors(chain, key=None, **settings):
    problems = check(chain, key, **settings)
    return [item.text for item in problems if item.severity == "error"]


def warnings(chain, key=None):
    return [item.text for item in check(chain, key) if item.severity == "warning"]


def test_development_chain_has_no_problem_and_says_what_it_is(credentials):
    assert check(credentials.chain_pem, credentials.key_pem) == ()
    assert is_development(credentials.chain_pem)
    for pem in (credentials.chain_pem, credentials.root_pem):
        for certificate in x509.load_pem_x509_certificates(pem.encode()):
            assert DEVELOPMENT in certificate.subject.rfc4514_string()
            assert DEVELOPMENT in certificate.issuer.rfc4514_string()


def test_development_leaf_is_valid_for_397_days(credentials):
    leaf = x509.load_pem_x509_certificates(credentials.chain_pem.encode())[0]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=397)
    assert errors(
        credentials.chain_pem, now=datetime.now(UTC) + timedelta(days=398)
    ) == [
        f"{leaf.subject.rfc4514_string()} expired on {leaf.not_valid_after_utc.date()}"
    ]


def test_development_chains_do_not_trust_each_other(
    credentials, signer, claim, picture
):
    signed = sign(picture(), "image/jpeg", claim, signer)
    other = make_development_chain()
    assert read(signed, anchors_pem=other.root_pem).state is State.UNTRUSTED
    both = other.root_pem + credentials.root_pem
    assert read(signed, anchors_pem=both).state is State.TRUSTED


def test_other_chain_is_not_for_development(authority):
    chain, _ = authority.chain()
    assert not is_development(chain)


def test_describe_reads_the_leaf_wherever_it_stands(authority, write_pem):
    chain, _ = authority.chain(ec.generate_private_key(ec.SECP384R1()))
    leaf, intermediate = x509.load_pem_x509_certificates(chain.encode())
    for text in (chain, write_pem(intermediate, leaf)):
        description = describe(text)
        assert description.subject == "CN=Leaf,O=Leaf Ltd"
        assert description.issuer == "CN=ICA,O=ICA Ltd"
        assert description.not_after == leaf.not_valid_after_utc
        assert description.algorithm == "es384"


def test_saved_credentials_load_again_and_the_key_is_private(tmp_path, credentials):
    save_credentials(tmp_path, credentials)
    assert load_credentials(tmp_path) == credentials
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "root.pem",
        "signer-chain.pem",
        "signer-key.pem",
    ]
    mode = (tmp_path / "signer-key.pem").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_saving_replaces_only_when_told_to(tmp_path, credentials):
    save_credentials(tmp_path, credentials)
    other = make_development_chain()
    with pytest.raises(OutputExists):
        save_credentials(tmp_path, other)
    assert load_credentials(tmp_path) == credentials
    save_credentials(tmp_path, other, overwrite=True)
    assert load_credentials(tmp_path) == other


def test_credentials_of_others_load_without_a_root(tmp_path, credentials):
    save_credentials(
        tmp_path,
        Credentials(chain_pem=credentials.chain_pem, key_pem=credentials.key_pem),
    )
    assert load_credentials(tmp_path).root_pem == ""


def test_loading_names_the_file_that_is_wrong(tmp_path, credentials):
    save_credentials(tmp_path, credentials)
    (tmp_path / "signer-key.pem").write_bytes(b"\xff\xfe")
    with pytest.raises(CertificateError, match=r"signer-key\.pem: .*not text"):
        load_credentials(tmp_path)
    (tmp_path / "signer-chain.pem").unlink()
    with pytest.raises(CertificateError, match=r"signer-chain\.pem: cannot be read"):
        load_credentials(tmp_path)


def test_secrets_never_show_in_repr(credentials, signer):
    secret = credentials.key_pem.splitlines()[1]
    assert secret not in repr(credentials)
    assert secret not in repr(signer)
    assert "PRIVATE" not in repr(credentials) + repr(signer)


MISTAKES = {
    "expired": (
        {"start": timedelta(-9), "end": timedelta(-1)},
        "Leaf,O=Leaf Ltd expired on",
    ),
    "future": ({"start": timedelta(1)}, "is not yet valid"),
    "no authority key id": ({"key_identifier": False}, "no authority key identifier"),
    "no key usage": ({"usage": ()}, "lacks digitalSignature"),
    "wrong key usage": ({"usage": ("key_agreement",)}, "lacks digitalSignature"),
    "signs certificates": (
        {"usage": ("digital_signature", "key_cert_sign")},
        "includes keyCertSign",
    ),
    "no purpose": ({"purposes": ()}, "no extended key usage"),
    "server": ({"purposes": (Purpose.SERVER_AUTH,)}, "usage is 1.3.6.1.5.5.7.3.1"),
    "any purpose": (
        {"purposes": (Purpose.ANY_EXTENDED_KEY_USAGE, Purpose.EMAIL_PROTECTION)},
        "meant for any purpose",
    ),
    "time stamps": ({"purposes": (Purpose.TIME_STAMPING,)}, "meant for time stamps"),
    "time stamps too": (
        {"purposes": (Purpose.EMAIL_PROTECTION, Purpose.TIME_STAMPING)},
        "meant for time stamps",
    ),
    "revocation": (
        {"purposes": (Purpose.OCSP_SIGNING,)},
        "meant for revocation answers",
    ),
    "weak digest": ({"digest": hashes.SHA224()}, "algorithm that C2PA refuses"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_of_a_leaf_is_named_alone_and_stops_the_signer(authority, name):
    settings, words = MISTAKES[name]
    chain, key = authority.chain(**settings)
    (text,) = errors(chain, key)
    assert words in text
    with pytest.raises(CertificateError) as caught:
        Signer.from_pem(chain, key)
    assert caught.value.problem == text
    assert caught.value.hint


WEAK_KEYS = {
    "RSA with 1024 bits": lambda: rsa.generate_private_key(65537, 1024),
    "curve secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "algorithm 1.3.101.113": ed448.Ed448PrivateKey.generate,
}


@pytest.mark.parametrize("name", WEAK_KEYS)
def test_keys_that_cannot_sign_are_named(authority, name):
    chain, key = authority.chain(WEAK_KEYS[name]())
    (text,) = errors(chain, key)
    assert name in text


GOOD_KEYS = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.parametrize("algorithm", GOOD_KEYS)
def test_every_accepted_kind_of_key_signs_and_is_trusted(
    authority, claim, picture, algorithm
):
    chain, key = authority.chain(GOOD_KEYS[algorithm]())
    assert check(chain, key) == ()
    signer = Signer.from_pem(chain, key)
    assert (signer.algorithm, signer.development) == (algorithm, False)
    signed = sign(picture(), "image/jpeg", claim, signer)
    assert read(signed, anchors_pem=authority.root_pem).state is State.TRUSTED


@pytest.mark.parametrize("purpose", [DOCUMENT_SIGNING, CLAIM_SIGNING])
def test_uncommon_purposes_sign_with_a_warning(authority, claim, picture, purpose):
    chain, key = authority.chain(purposes=(purpose,))
    assert errors(chain, key) == []
    assert "emailProtection" in warnings(chain, key)[0]
    signed = sign(picture(), "image/jpeg", claim, Signer.from_pem(chain, key))
    assert read(signed, anchors_pem=authority.root_pem).state is State.TRUSTED


def test_order_of_the_chain(authority, write_pem):
    chain, key = authority.chain()
    leaf, intermediate = x509.load_pem_x509_certificates(chain.encode())
    reverse = write_pem(intermediate, leaf)
    assert errors(reverse, key) == ["the chain is out of order"]
    (problem,) = check(reverse, key)
    assert problem.hint.index("CN=Leaf") < problem.hint.index("CN=ICA")
    mixed = write_pem(leaf, authority.root, intermediate)
    assert errors(mixed, key) == ["the chain is out of order"]
    assert errors(write_pem(leaf, intermediate, intermediate)) == [
        "a certificate stands in the chain twice"
    ]


def test_certificates_that_do_not_belong(authority, write_pem):
    chain, _ = authority.chain()
    stranger_key = ec.generate_private_key(ec.SECP256R1())
    stranger = authority.issue("ICA", stranger_key, "Root", authority.root_key, ca=True)
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    (text,) = errors(write_pem(leaf, stranger))
    assert "does not belong" in text


def test_intermediate_that_expired_or_is_no_authority(authority, write_pem):
    chain, _ = authority.chain()
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    settings = {"start": timedelta(-9), "end": timedelta(-1), "ca": True}
    expired = authority.issue(
        "ICA", authority.key, "Root", authority.root_key, **settings
    )
    (text,) = errors(write_pem(leaf, expired))
    assert text.startswith("CN=ICA,O=ICA Ltd expired")
    powerless = authority.issue(
        "ICA", authority.key, "Root", authority.root_key, ca=False
    )
    (text,) = errors(write_pem(leaf, powerless))
    assert "CN=ICA,O=ICA Ltd" in text
    assert "no authority" in text


def test_authority_in_place_of_a_leaf(authority, write_pem, write_key):
    texts = errors(write_pem(authority.intermediate), write_key(authority.key))
    assert any("authority's (CA)" in text for text in texts)


def test_root_lone_leaf_and_self_signed_leaf_are_warned_of(authority, write_pem):
    chain, key = authority.chain()
    assert warnings(chain + authority.root_pem, key) == ["the chain includes the root"]
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    assert warnings(write_pem(leaf), key) == ["the chain holds the leaf only"]
    own_key = ec.generate_private_key(ec.SECP256R1())
    own = authority.issue("Self", own_key, "Self", own_key, ca=False)
    assert warnings(write_pem(own)) == ["the certificate is self-signed"]
    assert errors(chain + authority.root_pem, key) == errors(write_pem(own)) == []


def test_problems_with_the_key(authority, write_key):
    chain, key = authority.chain()
    other = ec.generate_private_key(ec.SECP256R1())
    assert errors(chain, write_key(other)) == [
        "the private key does not belong to the certificate"
    ]
    assert errors(chain, write_key(other, b"secret")) == [
        "the private key is encrypted"
    ]
    for junk in ("", "key", chain, key[:80]):
        assert errors(chain, junk) == ["the private key cannot be read as PEM"]


def test_text_that_is_no_chain(authority):
    chain, key = authority.chain()
    damaged = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    for junk in ("", "certificate", damaged, chain[:300]):
        assert errors(junk, key) == ["the certificates cannot be read as PEM"]
    assert "too many" in errors(chain * 6, key)[0]


def test_key_among_the_certificates_is_refused(authority):
    # The C2PA library would copy it into the signed file.
    chain, key = authority.chain()
    assert errors(chain + key, key) == ["a private key stands among the certificates"]
    with pytest.raises(CertificateError, match="private key stands among"):
        Signer.from_pem(chain + key, key)


def test_text_around_the_certificates_does_no_harm(authority, claim, picture):
    chain, key = authority.chain()
    signer = Signer.from_pem(f"subject=Leaf\r\n{chain}\r\nend", key)
    assert signer.chain_pem == chain
    signed = sign(picture(), "image/jpeg", claim, signer)
    assert read(signed, anchors_pem=authority.root_pem).state is State.TRUSTED


def test_errors_come_before_warnings(authority):
    chain, _ = authority.chain(key_identifier=False)
    problems = check(chain + authority.root_pem, "no key")
    severities = [item.severity for item in problems]
    assert severities == ["error", "error", "warning"]
