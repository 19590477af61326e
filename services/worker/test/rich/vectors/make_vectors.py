"""Makes vectors.json: resources encrypted as Graph encrypts them, by Python's cryptography.

    pip install cryptography
    python3 make_vectors.py > vectors.json

Source of the steps: Graph, change-notifications-with-resource-data. The keys are for these vectors alone.
"""

import base64
import datetime
import hashlib
import json
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LONG_SUBJECTS = ["Größe: 5 µm", "会議の予定", "اجتماع الفريق", "👩‍👩‍👧‍👦 🇳🇴", "e\u0301 and \u00e9", "\u2028\ufeff\u0000"]


def resources():
    yield "nothing in it", "{}"
    for length in (15, 16, 17, 31, 32, 33, 4096):
        filler = "x" * (length - len('{"a":""}'))
        yield f"{length} bytes", json.dumps({"a": filler}, separators=(",", ":"))
    yield "beyond ASCII", json.dumps({"subjects": LONG_SUBJECTS}, ensure_ascii=False)
    yield "beyond ASCII, escaped", json.dumps({"subjects": LONG_SUBJECTS})


def encrypted(text, certificate, label):
    data_key = os.urandom(32)
    padder = padding.PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(data_key), modes.CBC(data_key[:16])).encryptor()
    data = encryptor.update(padded) + encryptor.finalize()
    signature = hmac.HMAC(data_key, hashes.SHA256())
    signature.update(data)
    oaep = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return {
        "data": base64.b64encode(data).decode(),
        "dataKey": base64.b64encode(certificate.public_key().encrypt(data_key, oaep)).decode(),
        "dataSignature": base64.b64encode(signature.finalize()).decode(),
        "encryptionCertificateId": label,
        "encryptionCertificateThumbprint": hashlib.sha1(der).hexdigest().upper(),
    }


def certificate_of(key, name):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Long expired, as those of old subscriptions are: it decrypts all the same.
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2021, 1, 1))
        .sign(key, hashes.SHA256())
    )


def vectors_of(bits):
    label = f"vectors-{bits}"
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    certificate = certificate_of(key, label)
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "bits": bits,
        "id": label,
        "privateKey": key.private_bytes(*pkcs8).decode(),
        "certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "items": [
            {"name": name, "text": text, "content": encrypted(text, certificate, label)}
            for name, text in resources()
        ],
    }


print(json.dumps([vectors_of(bits) for bits in (2048, 4096)], indent=2, ensure_ascii=False))
