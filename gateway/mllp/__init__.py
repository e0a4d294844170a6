"""HL7 v2 over MLLP, the shell: sockets, TLS, bounds and time around the pure framing (`adapters.mllp`).

    tls       the two contexts, and the fingerprint that names a certificate
    door      which client of the gateway a certificate speaks for
    gate      connections in: bounded in number from their first moment, proven by TLS
    listener  one message in flight on each, every message answered
    serving   the listener beside the web, in a thread of its own
    client    one message out and its acknowledgement, matched by MSA-2
    channel   the delivery channel `mllp`

What a message means is `gateway.messaging`; nothing here reads one, but the acknowledgements it waits for.

Source: HL7 v2.4 Implementation Guide, appendix C (MLLP); domain.md section 2.9.
"""
