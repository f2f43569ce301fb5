// One import for embedders: everything that they need of the floors below.

@_exported public import Composition
@_exported public import Crypto
@_exported public import Encoding
@_exported public import FFmpegBridge
@_exported public import FileAccess
@_exported public import FrameExtraction
@_exported public import Jobs
@_exported public import MediaCore
@_exported public import MediaTasks
@_exported public import MetadataLog
@_exported public import Pipeline
@_exported public import PositionedJSON
@_exported public import Sandbox
@_exported public import Storage
@_exported public import Text
@_exported public import Transfer
@_exported public import Watermark
