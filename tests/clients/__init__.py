"""Public FHIR clients that others wrote, against a gateway in a process of its own, over real sockets."""
