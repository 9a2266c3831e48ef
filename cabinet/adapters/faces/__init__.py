"""face_recognition (dlib) in a process of its own: `worker` asks, `library` answers there, `line` is between them."""

from cabinet.adapters.faces.worker import MODEL, FaceWorker, Place

__all__ = ["MODEL", "FaceWorker", "Place"]
