"""Sources and the cleaner as objects, under the names of KozmoAI's first data integration."""

from kozmo_bridge.adapters.base import BaseSourceAdapter as BaseSourceAdapter
from kozmo_bridge.adapters.cleaner import DataCleanerTransformer as DataCleanerTransformer
from kozmo_bridge.adapters.files import FileSourceAdapter as FileSourceAdapter
from kozmo_bridge.adapters.files import S3SourceAdapter as S3SourceAdapter
from kozmo_bridge.adapters.sql import SQLSourceAdapter as SQLSourceAdapter
