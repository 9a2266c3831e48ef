"""The words every module shares.  A number's name carries its unit; money and evidence are integers."""

from typing import NewType

VisitId = NewType("VisitId", str)  # ULID, 26 characters; also charge id, idempotency key, receipt number
MemberId = NewType("MemberId", str)
Sku = NewType("Sku", str)  # barcode digits or the operator's own code
ZoneId = NewType("ZoneId", str)
CameraId = NewType("CameraId", str)

Minor = int  # money in the currency's minor unit (cents)
