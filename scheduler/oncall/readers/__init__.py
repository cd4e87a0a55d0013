"""What a laboratory's file says: bytes in, one `LabReport` out, and no database.

`read` is the door. One file is one report about one patient: a file that holds several patients
or several reports is quarantined whole, because a result filed under the wrong name harms, and a
human who asks the lab for one file a report does not. Several batteries of one patient in one
message are one report.

Everything here runs in the caller's process. Files come from strangers as well (a mailbox takes
any attachment), so what is read is bounded before it is taken apart (`limits`), XML never has a
document type, and the work grows with the size of the file and no faster.
"""

from scheduler.oncall.readers.detecting import read
from scheduler.oncall.readers.faults import Fault, Unreadable
from scheduler.oncall.readers.values import Format, LabReport, Patient, Result, Status

__all__ = ["Fault", "Format", "LabReport", "Patient", "Result", "Status", "Unreadable", "read"]
