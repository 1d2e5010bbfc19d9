"""Makes buckets and says whose they are; run in the store's pod by hooks.

Arguments: home, URL, region, with https the file of authorities to trust. Standard input: JSON, bucket to the access
keys that open it. A bucket that is as it should be is left alone.
"""

# `s3` is beside it in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from s3 import Client, S3Error

SID = "nuages"
OPERATORS = [
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketOwnershipControls",
    "s3:DeleteBucket",
]
"""What an application may not do with its bucket: it could shut itself out, or let others in."""


def policy(bucket: str, keys: list[str]) -> dict[str, Any]:
    """Return the policy that lets these keys in and no others."""
    both = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": SID, "Effect": "Allow", "Principal": sorted(keys), "Action": "s3:*", "Resource": both},
            {"Sid": f"{SID}2", "Effect": "Deny", "Principal": "*", "Action": OPERATORS, "Resource": both[0]},
        ],
    }


def main(home: Path, url: str, region: str, authorities: str = "") -> None:
    """Make the buckets that standard input names."""
    access, secret = (home / "control").read_text().split()
    client = Client(url, access, secret, region, authorities)
    for bucket, keys in json.load(sys.stdin).items():
        make(client, home, bucket)
        wanted = policy(bucket, keys)
        if present(client, bucket) != wanted:
            client.request("PUT", f"/{bucket}", {"policy": ""}, json.dumps(wanted).encode()).read()


def make(client: Client, home: Path, bucket: str) -> None:
    """Make a bucket unless there is one."""
    try:
        client.request("HEAD", f"/{bucket}").read()
    except S3Error as error:
        if error.status >= 500:
            # Half made when the server was killed: a folder of which it does not know whose it is. Only an empty one.
            (home / "buckets" / bucket).rmdir()
        elif error.status != 404:
            raise
        client.request("PUT", f"/{bucket}").read()


def present(client: Client, bucket: str) -> Any:
    """Return the bucket's policy, None when it has none."""
    try:
        return json.load(client.request("GET", f"/{bucket}", {"policy": ""}))
    except S3Error as error:
        if error.status == 404:
            return None
        raise


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), *sys.argv[2:])
    except (S3Error, OSError) as error:
        sys.exit(str(error))
