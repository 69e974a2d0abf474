"""Sources as objects with a connection, under the names of KozmoAI's first data integration."""

from kozmo_bridge.adapters.base import BaseSourceAdapter as BaseSourceAdapter
from kozmo_bridge.adapters.files import FileSourceAdapter as FileSourceAdapter
from kozmo_bridge.adapters.files import S3SourceAdapter as S3SourceAdapter
