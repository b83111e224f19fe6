"""DistRen: a render farm for Blender artists and small studios."""

__version__ = "0.1.0"
