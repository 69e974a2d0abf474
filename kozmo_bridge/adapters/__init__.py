"""Sources, destinations and the cleaner, under the names of KozmoAI's first data integration."""

from kozmo_bridge.adapters.base import BaseSourceAdapter as BaseSourceAdapter
from kozmo_bridge.adapters.cleaner import DataCleanerTransformer as DataCleanerTransformer
from kozmo_bridge.adapters.converters import clean_dataframe_types as clean_dataframe_types
from kozmo_bridge.adapters.converters import data_list_to_dataframe as data_list_to_dataframe
from kozmo_bridge.adapters.converters import dataframe_to_data_list as dataframe_to_data_list
from kozmo_bridge.adapters.converters import singer_record_to_data as singer_record_to_data
from kozmo_bridge.adapters.destinations import BaseDestinationAdapter as BaseDestinationAdapter
from kozmo_bridge.adapters.destinations import SQLDestinationAdapter as SQLDestinationAdapter
from kozmo_bridge.adapters.files import FileSourceAdapter as FileSourceAdapter
from kozmo_bridge.adapters.files import S3SourceAdapter as S3SourceAdapter
from kozmo_bridge.adapters.sql import SQLSourceAdapter as SQLSourceAdapter
from kozmo_bridge.availability import check_mage_available as check_mage_available
from kozmo_bridge.availability import require_mage as require_mage
