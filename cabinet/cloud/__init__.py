"""The far end: a small reference settlement service that stores every event once and acknowledges what it stored.

Import `cabinet.cloud.run` to serve or to read its database, `cabinet.cloud.service` for the answers alone.
"""
