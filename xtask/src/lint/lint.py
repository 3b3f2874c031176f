"""Lints certificates, CRLs and OCSP answers with pkilint, all in one process.

    lint.py DIRECTORY

The directory holds DER: *.cer, *.crl and *.ors. Of those that are alike (the same fields,
extensions, algorithms and kinds of name) a few are looked at, so that a thousand certificates of
one profile take no longer than five. Ends with status 1 where pkilint finds an error.
"""

import collections
import hashlib
import pathlib
import re
import sys

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as responses

from pkilint import loader, pkix
from pkilint.pkix import certificate, crl, extension, name, ocsp
from pkilint.validation import ValidationFindingSeverity as Severity

# Of one shape: what differs between them (names, dates, numbers) is seen in a few.
OF_A_SHAPE = 5
# Beyond this it is no news in a log.
SHOWN = 5
# What pkilint takes for an error and the standard does not, each bounded by what the value has to
# look like instead: docs/decisions/0009-lint.md.
EXCEPTIONS = {
    # A name of one label, like localhost, is one (RFC 5280 section 4.2.1.6, RFC 1123 section 2.1).
    "pkix.invalid_domain_name_syntax": re.compile(
        r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
    ),
    # A URN is a URI without an authority (RFC 8141, RFC 9562 section 4).
    "pkix.invalid_uri_syntax": re.compile(
        r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    ),
}


def certificate_validator():
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(
            name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
        ),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def crl_validator():
    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


def ocsp_validator():
    return ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )


KINDS = {
    ".cer": ("certificates", loader.load_der_certificate, certificate_validator),
    ".crl": ("CRLs", loader.load_der_crl, crl_validator),
    ".ors": ("OCSP answers", loader.load_der_ocsp_response, ocsp_validator),
}


def shape(der, depth=0):
    """What the bytes look like: tags, object identifiers, booleans and small numbers, and the same of
    what is wrapped in a string of octets or bits. Repeated elements count once."""
    parts, at = [], 0
    while at < len(der):
        tag, start, end = element(der, at)
        value = der[start:end]
        if tag & 0x20:
            inner = shape(value, depth + 1)
        elif tag in (0x01, 0x06, 0x0A):
            inner = value.hex()
        elif tag in (0x03, 0x04):
            inner = wrapped(value[1:] if tag == 0x03 else value, depth + 1)
        else:
            inner = ""
        parts.append((tag, inner))
        at = end
    return tuple(dict.fromkeys(parts)) if depth else tuple(parts)


def wrapped(value, depth):
    """Octets that are DER themselves have its shape, others their length."""
    try:
        return shape(value, depth) if value[:1] == b"\x30" else len(value)
    except (IndexError, ValueError):
        return len(value)


def element(der, at):
    """Tag, beginning and end of the value of the element at this place."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if tag & 0x1F == 0x1F or start + length > len(der):
        raise ValueError("not DER")
    return tag, start, start + length


def sample(paths):
    """A few of each shape."""
    shapes = collections.Counter()
    for path in paths:
        der = path.read_bytes()
        try:
            key = shape(der)
        except (IndexError, ValueError):
            key = path.name
        shapes[key] += 1
        if shapes[key] <= OF_A_SHAPE:
            yield path, der
    print(f"  {len(shapes)} shapes")


def findings(load, validator, path, der):
    """What is found, as severity, code and where."""
    try:
        document = load(der, path.name)
    except ValueError as error:
        yield Severity.FATAL, "unreadable", str(error)
        return
    for result in validator.validate(document.root):
        for one in result.finding_descriptions:
            exception = EXCEPTIONS.get(one.finding.code)
            if exception and exception.fullmatch(str(result.node.pdu)):
                continue
            where = one.message or result.node.path
            yield one.finding.severity, one.finding.code, where


def responders(directory):
    """Puts the certificates that come with OCSP answers beside the others."""
    for path in sorted(directory.glob("*.ors")):
        try:
            answer = responses.load_der_ocsp_response(path.read_bytes())
            certificates = answer.certificates
        except ValueError:
            # The linter will say so.
            continue
        for responder in certificates:
            der = responder.public_bytes(Encoding.DER)
            name = hashlib.sha256(der).hexdigest()[:16]
            (directory / f"{name}.cer").write_bytes(der)


def main(directory):
    failed = False
    responders(directory)
    for ending, (what, load, make_validator) in KINDS.items():
        validator = make_validator()
        paths = sorted(directory.glob(f"*{ending}"))
        print(f"{len(paths)} {what}")
        found = collections.defaultdict(list)
        looked_at = 0
        for path, der in sample(paths):
            looked_at += 1
            for severity, code, where in findings(load, validator, path, der):
                found[severity, code].append(f"{path.name}: {where}")
        print(f"  {looked_at} looked at")
        for (severity, code), places in sorted(found.items(), key=lambda item: item[0][0].value):
            print(f"  {severity.name} {code} ({len(places)} times)")
            for place in places[:SHOWN]:
                print(f"    {place}")
            failed |= severity in (Severity.FATAL, Severity.ERROR)
        if not paths:
            print(f"  no {what}: the tests that make them did not run")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
