"""Extract, transform and load the legacy CSV export; generate one; verify what the database keeps."""
