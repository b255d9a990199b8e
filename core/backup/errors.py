"""Why a backup or a restore is refused. Each is one line for the person at the terminal."""

from core.errors import Refusal


class BackupRefused(Refusal):
    """`exit_code`: 2 for what cannot be used at all, 1 for what was looked at and is not right."""

    exit_code = 2


class NotABackup(BackupRefused):
    message = "There is no backup of Attune here."


class OtherVersion(BackupRefused):
    message = "This backup was made by a newer version of Attune; restore it with that one."


class WrongKey(BackupRefused):
    message = "The key that this backup was made with is not among the keys of this installation."


class PlaceTaken(BackupRefused):
    message = "This folder has something in it; a backup goes into an empty one."


class BeingWritten(PlaceTaken):
    message = "Another backup is being written here."


class NotEmpty(BackupRefused):
    message = "The database has rows already; --replace puts the backup in their place."


class InUse(BackupRefused):
    message = "Something still uses the database; stop Attune and everything connected to it first."


class Damaged(BackupRefused):
    """Not one bit of it is believed: cut, changed, put together from parts, or another's."""

    exit_code = 1
    message = "This backup is damaged or was changed; nothing was restored."


class CheckFailed(BackupRefused):
    exit_code = 1
