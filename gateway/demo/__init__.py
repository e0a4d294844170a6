"""The road walked once, for a visitor: synthetic documents, small systems that speak real HTTP and MLLP, and the walk.

    run.py, walk.py                                            the stage, the order of the steps, what they share
    police.py  systems.py  team.py  telling.py  auditor.py     the steps, by who takes them
    client.py  engine.py  pds.py  pds_server.py                a client, an integration engine, a simulator of PDS
    setting.py  pds_process.py                                 what is set up, and the processes that run beside
    incidents.py  documents.py                                 what is sent
    console.py  people.py  today.py  visitor.py                the console with two synthetic years, for a visitor

Everybody here is made up; telephone numbers and postcodes are those reserved for fiction. Nothing in this package is
used when the gateway serves.
"""
