"""What a job's files are: manifests, hashes, and the tar policy."""
