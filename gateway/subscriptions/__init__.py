"""FHIR Subscriptions: a team's system is told that a referral has come or changed, and reads it then.

    channel      a notification is one signed POST that holds nothing of anybody; the handshake before
    registering  made, read and ended by the team's own client; each is an endpoint of `gateway.delivery`

Source: FHIR R4 Subscription (rest-hook); the resource is `adapters.nhs.fhir.subscription`.
"""
