"""Checks the signature of a request by RFC 9421, from the text of the standard."""

import base64
import hashlib
import re
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def problem(handler, body, keys, nonces, any_time=False):
    """Why a message cannot be trusted, or None. `keys`: installation → public key, hexadecimal; `nonces`: those seen so far."""
    fields = {name.lower(): value for name, value in handler.headers.items()}
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
    if fields.get("content-digest") != digest:
        return "content-digest"
    match = re.fullmatch(r"(\w+)=(\(([^)]*)\)(.*))", fields.get("signature-input", ""))
    if not match:
        return "signature-input"
    label, parameters, components, attributes = match.groups()
    covered = re.findall(r'"([^"]+)"', components)
    for needed in ("@method", "@authority", "@path", "content-digest", "content-type"):
        if needed not in covered:
            return f"{needed} is not signed"
    values = {"@method": handler.command, "@authority": fields["host"], "@path": handler.path.partition("?")[0], **fields}
    base = "\n".join(f'"{name}": {values[name]}' for name in covered) + f'\n"@signature-params": {parameters}'
    named = dict(re.findall(r';(\w+)="?([^";]*)"?', attributes))
    key = keys.get(named.get("keyid"))
    if key is None:
        return "keyid"
    if abs(int(named["created"]) - time.time()) > 300 and not any_time:
        return "created"
    if named["nonce"] in nonces:
        return "nonce"
    nonces.add(named["nonce"])
    signature = base64.b64decode(re.fullmatch(label + r"=:([^:]*):", fields["signature"]).group(1))
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, base.encode())
    except InvalidSignature:
        return "signature"
    return None
