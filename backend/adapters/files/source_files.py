"""Sources in the store's folder: a job appears as a whole by one rename."""

from __future__ import annotations

import errno
from pathlib import Path

from backend import errors
from backend.adapters.files import disk
from backend.adapters.files.blob import FileBlob
from backend.adapters.files.disk import remove, sync_data, sync_folder, translate_errors, write_file
from backend.adapters.files.store_folder import StoreFolder
from backend.adapters.files.upload import FileUpload, ReusedUpload
from backend.core.job import Manifest
from backend.ports.source_files import Upload


class FileSourceFiles(StoreFolder):
    def create_upload(self) -> FileUpload:
        self.check()
        return FileUpload.create(self.new_path())

    def reuse_source(self, manifest: Manifest) -> ReusedUpload:
        return ReusedUpload(self.new_path(), self.job_folder(manifest.id) / "source", manifest.source.sha256)

    def commit_job(self, upload: Upload, manifest: Manifest) -> bool:
        assert isinstance(upload, FileUpload)
        staged = self.new_path(".job")
        with translate_errors():
            try:
                _stage(upload, manifest, staged)
                self.publish_job(staged, manifest.id, durable=not manifest.is_ephemeral)
            except OSError as error:
                remove(staged)
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    return False
                raise
        return True

    def reserve(self, manifest: Manifest) -> None:
        staged = self.new_path(".job")
        with translate_errors():
            try:
                staged.mkdir(mode=0o700)
                write_file(staged / "manifest.json", manifest.to_json(), sync=True)
                sync_folder(staged)
                self.publish_job(staged, manifest.id, durable=True)
            except OSError:
                remove(staged)
                raise

    def attach_source(self, upload: Upload, manifest: Manifest) -> None:
        """The source is renamed first: a kill before the manifest leaves a job that is fetched again."""
        assert isinstance(upload, FileUpload)
        folder, staged = self.job_folder(manifest.id), self.new_path()
        with translate_errors(errors.NotFound):
            try:
                sync_data(upload.fd)
                upload.close()
                write_file(staged, manifest.to_json(), sync=True)
                upload.path.rename(folder / "source")
                sync_folder(folder)
                staged.rename(folder / "manifest.json")
                sync_folder(folder)
            except OSError:
                disk.discard(staged)
                raise

    def open_source(self, job_id: str) -> FileBlob:
        with translate_errors(errors.NotFound):
            return FileBlob(self.job_folder(job_id) / "source")


def _stage(upload: FileUpload, manifest: Manifest, staged: Path) -> None:
    staged.mkdir(mode=0o700)
    if not manifest.is_ephemeral:
        sync_data(upload.fd)
    upload.close()
    upload.path.rename(staged / "source")
    write_file(staged / "manifest.json", manifest.to_json(), sync=not manifest.is_ephemeral)
    if not manifest.is_ephemeral:
        sync_folder(staged)
