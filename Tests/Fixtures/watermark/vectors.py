#!/usr/bin/env python3
"""Test vectors of the watermark's format version 1, by an implementation that shares nothing with the Swift one.

usage: vectors.py > vectors.json

Standard library only: BLAKE2b from hashlib; ChaCha20 (RFC 8439), CRC and polar code written out.
"""
import hashlib, json, math, random, struct


def chacha20_words(key):
    """The keystream of RFC 8439 with a zero nonce, from block 0, as little-endian words."""
    def rotl(v, n): return ((v << n) | (v >> (32 - n))) & 0xFFFFFFFF
    def quarter(s, a, b, c, d):
        s[a] = (s[a] + s[b]) & 0xFFFFFFFF; s[d] = rotl(s[d] ^ s[a], 16)
        s[c] = (s[c] + s[d]) & 0xFFFFFFFF; s[b] = rotl(s[b] ^ s[c], 12)
        s[a] = (s[a] + s[b]) & 0xFFFFFFFF; s[d] = rotl(s[d] ^ s[a], 8)
        s[c] = (s[c] + s[d]) & 0xFFFFFFFF; s[b] = rotl(s[b] ^ s[c], 7)
    counter = 0
    while True:
        start = list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key)) + [counter, 0, 0, 0]
        s = list(start)
        for _ in range(10):
            quarter(s, 0, 4, 8, 12); quarter(s, 1, 5, 9, 13); quarter(s, 2, 6, 10, 14); quarter(s, 3, 7, 11, 15)
            quarter(s, 0, 5, 10, 15); quarter(s, 1, 6, 11, 12); quarter(s, 2, 7, 8, 13); quarter(s, 3, 4, 9, 14)
        for a, b in zip(s, start):
            yield (a + b) & 0xFFFFFFFF
        counter += 1


class Generator:
    def __init__(self, secret, label):
        self.words = chacha20_words(hashlib.blake2b(label.encode(), key=secret, digest_size=32).digest())

    def word(self): return next(self.words)

    def below(self, n):
        limit = (1 << 32) // n * n
        while True:
            w = self.word()
            if w < limit: return w % n


def layout(secret):
    candidates = [(x, y) for x in range(1, 22) for y in range(-21, 22) if y and 16 <= x * x + y * y <= 455]
    g, order = Generator(secret, "watermark 1 lines"), list(range(len(candidates)))
    for i in range(416):
        j = i + g.below(len(order) - i)
        order[i], order[j] = order[j], order[i]
    g = Generator(secret, "watermark 1 angles")
    angles = [g.word() for _ in range(416)]
    g, permutation = Generator(secret, "watermark 1 permutation"), list(range(512))
    for i in range(511, 0, -1):
        j = g.below(i + 1)
        permutation[i], permutation[j] = permutation[j], permutation[i]
    g = Generator(secret, "watermark 1 scramble")
    words = [g.word() for _ in range(16)]
    return {"candidates": len(candidates), "lines": [list(candidates[i]) for i in order[:416]], "angleWords": angles,
            "permutation": permutation, "scramble": "".join(str(words[i // 32] >> (i % 32) & 1) for i in range(512))}


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8): crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


WEIGHT = [sum(2 ** (j / 4) for j in range(9) if i >> j & 1) for i in range(512)]
INFORMATION = sorted(sorted(range(512), key=lambda i: WEIGHT[i])[-80:])


def encode(value):
    data = value.to_bytes(8, "big")
    bits = "".join(f"{b:08b}" for b in data + crc16(data).to_bytes(2, "big"))
    u = [0] * 512
    for i, bit in zip(INFORMATION, bits): u[i] = int(bit)
    def kron(v):  # x = u F^(x)n, F = [[1, 0], [1, 1]]
        if len(v) == 1: return v
        h = len(v) // 2
        left, right = kron(v[:h]), kron(v[h:])
        return [a ^ b for a, b in zip(left, right)] + right
    return kron(u)


def main():
    assert crc16(b"123456789") == 0x29B1
    rng = random.Random(5)
    keys = []
    for secret in [bytes(16), bytes(range(16)), rng.randbytes(16)]:
        digest = hashlib.blake2b(b"reelwright watermark key id", key=secret, digest_size=16).digest()
        keys.append({"secret": secret.hex(), "id": digest[:4].hex(), **layout(secret)})
    codes = []
    for value in [0, 1, 1000, 0xFFFFFFFFFFFFFFFF, 0x0123456789ABCDEF] + [rng.getrandbits(64) for _ in range(5)]:
        word = encode(value)
        # Gaussian channel, amplitude and deviation 1, which this code corrects with a wide margin.
        noisy = [round((1 - 2 * b + rng.gauss(0, 1.0)) * 100) for b in word]
        codes.append({"id": f"{value:016x}", "crc": crc16(value.to_bytes(8, "big")), "word": "".join(map(str, word)),
                      "noisyHundredths": noisy})
    print(json.dumps({"formatVersion": 1, "informationSet": INFORMATION, "keys": keys, "codes": codes}))


main()
