"""Which store a server has."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from farm.files.disk import DiskStore
from farm.files.signing import Signer
from farm.files.store import BlobStore
from farm.words.bucketsettings import SCHEME
from farm.words.errors import NotASetup
from farm.words.settings import ServerSettings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from farm.files.direct import Direct


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
    landing = DiskStore(settings.storage_folder / "landing", reserve)
    return BucketStore(bucket, landing, int(settings.bucket_cache), _direct(settings, bucket))


def _direct(settings: ServerSettings, bucket: ObjectStore) -> Direct | None:
    """Return what leads callers to the bucket; None: the admin does not want it, or nothing signs addresses."""
    from farm.files.direct import Direct

    name, _, folder = settings.bucket.removeprefix(SCHEME).partition("/")
    inside = _signer(settings, name, settings.bucket_endpoint)
    outside = _signer(settings, name, settings.bucket_public_endpoint or settings.bucket_endpoint)
    # Who reaches the farm over TLS must not be led around it.
    bare = settings.public_url.startswith("https:") and outside.root.startswith("http:")
    if not settings.bucket_direct or not outside.key or bare:
        return None
    browsers = bool(settings.bucket_public_endpoint or not settings.bucket_endpoint)
    return Direct(bucket, outside, inside, folder, browsers)


def _signer(settings: ServerSettings, name: str, endpoint: str) -> Signer:
    amazon = f"https://{name}.s3.{settings.bucket_region}.amazonaws.com"
    root = f"{endpoint.rstrip('/')}/{name}" if endpoint else amazon
    given = settings.bucket_key, settings.bucket_secret.get_secret_value(), ""
    usual = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return Signer(root, settings.bucket_region, *(given if given[0] else (os.environ.get(one, "") for one in usual)))
