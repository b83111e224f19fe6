"""Which store a server has."""

from __future__ import annotations

from farm.files.disk import DiskStore
from farm.files.store import BlobStore
from farm.words.errors import NotASetup
from farm.words.settings import ServerSettings


def store_of(settings: ServerSettings) -> BlobStore:
    """Return the store that the settings name: a folder, or a bucket with a folder before it.

    Raises:
        NotASetup: what a bucket needs is not installed.
    """
    reserve = int(settings.free_space)
    if not settings.bucket:
        return DiskStore(settings.storage_folder / "blobs", reserve)
    try:
        from farm.files.bucket import BucketStore, opened
    except ModuleNotFoundError as error:
        hint = "Install it: pip install 'distren[server,s3]'."
        raise NotASetup(f"A bucket needs a package that is not installed here ({error.name}).", hint=hint) from error
    secret = settings.bucket_secret.get_secret_value()
    bucket = opened(settings.bucket, settings.bucket_endpoint, settings.bucket_region, settings.bucket_key, secret)
    # Not the folder of a farm without a bucket: what lies there is nowhere else.
    return BucketStore(bucket, DiskStore(settings.storage_folder / "landing", reserve), int(settings.bucket_cache))
