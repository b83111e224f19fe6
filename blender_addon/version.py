"""The add-on's version: that of DistRen. (Blender 4.2 and newer take bl_info out of extensions.)"""

VERSION = "0.1.0"
