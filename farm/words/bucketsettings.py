"""Settings of a server whose blobs lie in a bucket."""

from __future__ import annotations

from pydantic import ByteSize, Field, SecretStr, field_validator

from farm.words.filesettings import FileSettings

SCHEME = "s3://"


class BucketSettings(FileSettings):
    """Where the bucket is, and how to get in."""

    bucket: str = Field(
        "",
        description="Bucket that keeps all files, e.g. s3://farm or s3://studio/farm; empty: the storage folder does.",
    )
    bucket_endpoint: str = Field(
        "", description="Address of the bucket's service, e.g. https://s3.example.org; empty: Amazon's."
    )
    bucket_region: str = Field("us-east-1", description="The bucket's region.")
    bucket_key: str = Field("", description="Access key; empty: as AWS_ACCESS_KEY_ID or the machine itself says.")
    bucket_secret: SecretStr = Field(SecretStr(""), description="The access key's secret.")
    bucket_cache: ByteSize = Field(
        ByteSize(20_000_000_000),
        ge=0,
        description="Bytes of the storage disk that may hold copies of files of the bucket, those used last.",
    )

    bucket_direct: bool = Field(
        True,
        description="Lead slaves and clients past the server, to and from the bucket, with files of 1 MB and more, by "
        "addresses that hold for two minutes. Who can't reach the bucket goes through the server.",
    )
    bucket_public_endpoint: str = Field(
        "",
        description="Address of the bucket's service as slaves, clients and browsers reach it, if it is another one. "
        "Browsers are led there only if this is set, or the bucket is Amazon's: they can't come back.",
    )

    @field_validator("bucket")
    @classmethod
    def _bucket_is_one(cls, value: str) -> str:
        if value and (not value.startswith(SCHEME) or not value.removeprefix(SCHEME).strip("/")):
            raise ValueError("write s3://NAME or s3://NAME/FOLDER")
        return value.rstrip("/")
