"""A certificate authority and a server certificate, made by openssl for one test run."""

import os
import subprocess


def make(folder, names="DNS:localhost,IP:127.0.0.1"):
    """Writes ca.pem, server.pem and server.key into `folder` and returns their paths."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority")
    openssl("req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server")
    with open(os.path.join(folder, "ext.cnf"), "w") as out:
        out.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", "ext.cnf", "-out", "server.pem",
    )
    return tuple(os.path.join(folder, name) for name in ("ca.pem", "server.pem", "server.key"))
