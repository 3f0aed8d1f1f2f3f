"""The proxy's side of schemas/release-v1.md over Python's `cryptography`: shares no code with Attestation."""

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

REPORT_BYTES = 477
MALFORMED, UNKNOWN_SESSION, REPLAYED, NOT_AUTHENTIC, TOO_MANY_KEYS, NO_PLATFORM, BAD_KEY, INTERNAL, NO_GRANT = range(1, 10)


class Refused(Exception):
    """A check of the report or an ERROR frame; `args[0]` names it."""


def raw_public(key):
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def verify(public_key, signature, message):
    der = utils.encode_dss_signature(int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big"))
    public_key.verify(der, message, ec.ECDSA(hashes.SHA384()))


class Report:
    def __init__(self, raw):
        if len(raw) != REPORT_BYTES or raw[:4] != b"CLRP" or raw[4] != 1:
            raise Refused("format")
        self.raw = raw
        self.platform, self.region, self.flags = raw[5], raw[6], raw[7]
        (self.version,) = struct.unpack(">I", raw[8:12])
        self.measurement, self.nonce, self.data = raw[12:60], raw[60:92], raw[92:156]
        (self.issued_at,) = struct.unpack(">Q", raw[156:164])
        self.certificate = raw[164:381]
        self.not_before, self.not_after = struct.unpack(">QQ", self.certificate[8:24])
        self.platform_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), self.certificate[24:121])

    def check(self, root, measurement, nonce, public_key, now, minimum_version=1, allow_debug=False):
        """Every check of the policy; raises Refused with the first that fails."""
        for name, key, signature, message in (
            ("root", root, self.certificate[121:], self.certificate[:121]),
            ("signature", self.platform_key, self.raw[381:], self.raw[:381]),
        ):
            try:
                verify(key, signature, message)
            except InvalidSignature:
                raise Refused(name) from None
        for name, holds in (
            ("expired", self.not_before <= now <= self.not_after),
            ("nonce", self.nonce == nonce),
            ("data", self.data == hashlib.sha512(b"cloister report v1" + public_key).digest()),
            ("measurement", self.measurement == measurement),
            ("version", self.version >= minimum_version),
            ("debug", allow_debug or not self.flags & 1),
            ("region", self.region == 1),
            ("platform", self.platform == 1 and self.certificate[5] == 1),
        ):
            if not holds:
                raise Refused(name)


class Session:
    """One handshake and its releases. `tunnel` takes a frame and returns the enclave's answer."""

    def __init__(self, tunnel):
        self.tunnel = tunnel
        self.private = X25519PrivateKey.generate()
        self.nonce = raw_public(self.private.public_key())
        self.hello = b"\x01" + self.nonce
        self.counter = 0

    def open(self, root, measurement, now, **policy):
        welcome = self.tunnel(self.hello)
        if welcome[0] == 7:
            raise Refused(welcome[1])
        self.id, enclave_key = welcome[1:9], welcome[9:41]
        self.report = Report(welcome[41:])
        self.report.check(root, measurement, self.nonce, enclave_key, now, **policy)
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(enclave_key))
        salt = hashlib.sha256(self.hello + welcome).digest()
        self.to_enclave, self.to_proxy = (
            AESGCM(HKDF(hashes.SHA256(), 32, salt, label).derive(shared))
            for label in (b"cloister release v1 to-enclave", b"cloister release v1 to-proxy")
        )
        return self

    def frame(self, keys, counter=None, grantor=None, limit=0):
        """A RELEASE of [(id, 32 bytes, operations)]; `grantor`: (8 bytes, 32 bytes)."""
        if counter is None:
            self.counter += 1
            counter = self.counter
        plaintext = struct.pack(">I", len(keys)) + b"".join(grantor or (bytes(8), bytes(32)))
        plaintext += b"".join(struct.pack(">I", i) + k + struct.pack(">IQ", o, limit) for i, k, o in keys)
        head = b"\x03" + self.id + struct.pack(">Q", counter)
        return head + self.to_enclave.encrypt(bytes(4) + struct.pack(">Q", counter), plaintext, head)

    def confirm(self, answer, counter=None):
        """(boot id, loaded keys) of a RELEASED."""
        if answer[0] == 7:
            raise Refused(answer[1])
        counter = self.counter if counter is None else counter
        if answer[0] != 4 or answer[1:9] != struct.pack(">Q", counter):
            raise Refused("confirmation")
        try:
            plaintext = self.to_proxy.decrypt(bytes(4) + answer[1:9], answer[9:], answer[:9])
        except InvalidTag:
            raise Refused("confirmation") from None
        return plaintext[:16], struct.unpack(">I", plaintext[16:])[0]

    def release(self, keys, **more):
        return self.confirm(self.tunnel(self.frame(keys, **more)))


def grant(tunnel, grantor, writer, alter=lambda frame: frame):
    """Vouches for the session of `tunnel`, as (8 bytes, 32 bytes) that released the keys; the enclave's answer."""
    challenge = tunnel(b"\x08")
    if challenge[0] != 9:
        raise Refused(challenge[1])
    code = hmac.digest(grantor[1], b"cloister grant v1" + grantor[0] + challenge[1:] + struct.pack(">Q", writer), "sha256")
    return tunnel(alter(b"\x0a" + grantor[0] + struct.pack(">Q", writer) + code))


def status(tunnel):
    """(boot id, enclave version, key ids), unauthenticated."""
    answer = tunnel(b"\x05")
    if answer[0] != 6:
        raise Refused(answer[1])
    version, count = struct.unpack(">II", answer[17:25])
    return answer[1:17], version, list(struct.unpack(f">{count}I", answer[25:]))
