/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every exception class that nova's services of release Zed know by module nova.exception, and the few of other modules that cross the RPC
 * boundary: X(code, class, parent, number, template). The number is the HTTP status that instance faults carry; the template builds the text
 * from the keyword arguments (NULL: class name and arguments are listed). Names, parents and numbers are upstream's, because callers rebuild the
 * class by its name (spec/rpc-wire.md section 3.3); the wording is ours.
 */
/* clang-format off */
#define NOVA_EXCEPTION_LIST(X) \
    X(NOVA_EXCEPTION, NOVA, "NovaException", NOVA_EXCEPTION, 500, "an unknown error happened") \
    X(ENCRYPTION_FAILURE, NOVA, "EncryptionFailure", NOVA_EXCEPTION, 500, NULL) \
    X(VIRTUAL_INTERFACE_CREATE_EXCEPTION, NOVA, "VirtualInterfaceCreateException", NOVA_EXCEPTION, 500, "creating the virtual interface failed") \
    X(VIRTUAL_INTERFACE_MAC_ADDRESS_EXCEPTION, NOVA, "VirtualInterfaceMacAddressException", NOVA_EXCEPTION, 500, "no unique MAC address could be made for the virtual interface") \
    X(VIRTUAL_INTERFACE_PLUG_EXCEPTION, NOVA, "VirtualInterfacePlugException", NOVA_EXCEPTION, 500, "plugging the virtual interface failed") \
    X(VIRTUAL_INTERFACE_UNPLUG_EXCEPTION, NOVA, "VirtualInterfaceUnplugException", NOVA_EXCEPTION, 500, "unplugging the virtual interface failed: %(reason)s") \
    X(GLANCE_CONNECTION_FAILED, NOVA, "GlanceConnectionFailed", NOVA_EXCEPTION, 500, "cannot reach the image service at %(server)s: %(reason)s") \
    X(KEYSTONE_CONNECTION_FAILED, NOVA, "KeystoneConnectionFailed", NOVA_EXCEPTION, 500, "cannot reach Keystone: %(reason)s") \
    X(CINDER_CONNECTION_FAILED, NOVA, "CinderConnectionFailed", NOVA_EXCEPTION, 500, "cannot reach Cinder: %(reason)s") \
    X(UNSUPPORTED_CINDER_API_VERSION, NOVA, "UnsupportedCinderAPIVersion", NOVA_EXCEPTION, 500, NULL) \
    X(CINDER_API_VERSION_NOT_AVAILABLE, NOVA, "CinderAPIVersionNotAvailable", NOVA_EXCEPTION, 500, NULL) \
    X(FORBIDDEN, NOVA, "Forbidden", NOVA_EXCEPTION, 403, NULL) \
    X(NOT_SUPPORTED, NOVA, "NotSupported", NOVA_EXCEPTION, 400, NULL) \
    X(FORBIDDEN_WITH_ACCELERATORS, NOVA, "ForbiddenWithAccelerators", NOT_SUPPORTED, 400, NULL) \
    X(FORBIDDEN_PORTS_WITH_ACCELERATOR, NOVA, "ForbiddenPortsWithAccelerator", NOT_SUPPORTED, 400, NULL) \
    X(FORBIDDEN_WITH_REMOTE_MANAGED_PORTS, NOVA, "ForbiddenWithRemoteManagedPorts", NOT_SUPPORTED, 400, NULL) \
    X(ADMIN_REQUIRED, NOVA, "AdminRequired", FORBIDDEN, 403, NULL) \
    X(POLICY_NOT_AUTHORIZED, NOVA, "PolicyNotAuthorized", FORBIDDEN, 403, NULL) \
    X(IMAGE_NOT_ACTIVE, NOVA, "ImageNotActive", NOVA_EXCEPTION, 500, "image %(image_id)s is not active") \
    X(IMAGE_NOT_AUTHORIZED, NOVA, "ImageNotAuthorized", NOVA_EXCEPTION, 500, "image %(image_id)s may not be read with these credentials") \
    X(INVALID, NOVA, "Invalid", NOVA_EXCEPTION, 400, NULL) \
    X(INVALID_VIOMMU_MACHINE_TYPE, NOVA, "InvalidVIOMMUMachineType", INVALID, 400, "machine type %(mtype)s of architecture %(arch)s has no virtual IOMMU") \
    X(INVALID_VIOMMU_ARCHITECTURE, NOVA, "InvalidVIOMMUArchitecture", INVALID, 400, "architecture %(arch)s has no virtual IOMMU") \
    X(INVALID_CONFIGURATION, NOVA, "InvalidConfiguration", INVALID, 400, "the configuration is not valid") \
    X(INVALID_BDM, NOVA, "InvalidBDM", INVALID, 400, "the block device mapping is not valid") \
    X(INVALID_BDM_SNAPSHOT, NOVA, "InvalidBDMSnapshot", INVALID_BDM, 400, NULL) \
    X(INVALID_BDM_VOLUME, NOVA, "InvalidBDMVolume", INVALID_BDM, 400, "the block device mapping is not valid: volume %(id)s cannot be read") \
    X(INVALID_BDM_IMAGE, NOVA, "InvalidBDMImage", INVALID_BDM, 400, "the block device mapping is not valid: image %(id)s cannot be read") \
    X(INVALID_BDM_BOOT_SEQUENCE, NOVA, "InvalidBDMBootSequence", INVALID_BDM, 400, NULL) \
    X(INVALID_BDM_LOCALS_LIMIT, NOVA, "InvalidBDMLocalsLimit", INVALID_BDM, 400, NULL) \
    X(INVALID_BDM_EPHEMERAL_SIZE, NOVA, "InvalidBDMEphemeralSize", INVALID_BDM, 400, NULL) \
    X(INVALID_BDM_SWAP_SIZE, NOVA, "InvalidBDMSwapSize", INVALID_BDM, 400, NULL) \
    X(INVALID_BDM_FORMAT, NOVA, "InvalidBDMFormat", INVALID_BDM, 400, "the block device mapping is not valid: %(details)s") \
    X(INVALID_BDM_FOR_LEGACY, NOVA, "InvalidBDMForLegacy", INVALID_BDM, 400, NULL) \
    X(INVALID_BDM_VOLUME_NOT_BOOTABLE, NOVA, "InvalidBDMVolumeNotBootable", INVALID_BDM, 400, NULL) \
    X(TOO_MANY_DISK_DEVICES, NOVA, "TooManyDiskDevices", INVALID_BDM, 403, "an instance can have at most %(maximum)s disks") \
    X(INVALID_BDM_DISK_BUS, NOVA, "InvalidBDMDiskBus", INVALID_BDM, 400, NULL) \
    X(INVALID_ATTRIBUTE, NOVA, "InvalidAttribute", INVALID, 400, NULL) \
    X(VALIDATION_ERROR, NOVA, "ValidationError", INVALID, 400, NULL) \
    X(VOLUME_ATTACH_FAILED, NOVA, "VolumeAttachFailed", INVALID, 400, "volume %(volume_id)s cannot be attached: %(reason)s") \
    X(VOLUME_DETACH_FAILED, NOVA, "VolumeDetachFailed", INVALID, 400, "volume %(volume_id)s cannot be detached: %(reason)s") \
    X(VOLUME_EXTEND_FAILED, NOVA, "VolumeExtendFailed", INVALID, 400, "volume %(volume_id)s cannot be extended: %(reason)s") \
    X(MULTIATTACH_NOT_SUPPORTED_BY_VIRT_DRIVER, NOVA, "MultiattachNotSupportedByVirtDriver", NOT_SUPPORTED, 400, NULL) \
    X(MULTIATTACH_NOT_SUPPORTED_OLD_MICROVERSION, NOVA, "MultiattachNotSupportedOldMicroversion", INVALID, 400, NULL) \
    X(MULTIATTACH_TO_SHELVED_NOT_SUPPORTED, NOVA, "MultiattachToShelvedNotSupported", INVALID, 400, NULL) \
    X(MULTIATTACH_SWAP_VOLUME_NOT_SUPPORTED, NOVA, "MultiattachSwapVolumeNotSupported", INVALID, 400, NULL) \
    X(VOLUME_NOT_CREATED, NOVA, "VolumeNotCreated", NOVA_EXCEPTION, 500, NULL) \
    X(EXTEND_VOLUME_NOT_SUPPORTED, NOVA, "ExtendVolumeNotSupported", INVALID, 400, NULL) \
    X(VOLUME_ENCRYPTION_NOT_SUPPORTED, NOVA, "VolumeEncryptionNotSupported", INVALID, 400, NULL) \
    X(VOLUME_TAGGED_ATTACH_NOT_SUPPORTED, NOVA, "VolumeTaggedAttachNotSupported", INVALID, 400, NULL) \
    X(VOLUME_TAGGED_ATTACH_TO_SHELVED_NOT_SUPPORTED, NOVA, "VolumeTaggedAttachToShelvedNotSupported", VOLUME_TAGGED_ATTACH_NOT_SUPPORTED, 400, NULL) \
    X(NETWORK_INTERFACE_TAGGED_ATTACH_NOT_SUPPORTED, NOVA, "NetworkInterfaceTaggedAttachNotSupported", INVALID, 400, NULL) \
    X(INVALID_KEYPAIR, NOVA, "InvalidKeypair", INVALID, 400, NULL) \
    X(INVALID_REQUEST, NOVA, "InvalidRequest", INVALID, 400, NULL) \
    X(INVALID_INPUT, NOVA, "InvalidInput", INVALID, 400, "input is not valid: %(reason)s") \
    X(INVALID_VOLUME, NOVA, "InvalidVolume", INVALID, 400, "volume is not valid: %(reason)s") \
    X(INVALID_VOLUME_ACCESS_MODE, NOVA, "InvalidVolumeAccessMode", INVALID, 400, NULL) \
    X(STALE_VOLUME_MOUNT, NOVA, "StaleVolumeMount", INVALID_VOLUME, 400, NULL) \
    X(INVALID_METADATA, NOVA, "InvalidMetadata", INVALID, 400, "metadata is not valid: %(reason)s") \
    X(INVALID_METADATA_SIZE, NOVA, "InvalidMetadataSize", INVALID, 400, NULL) \
    X(INVALID_PORT_RANGE, NOVA, "InvalidPortRange", INVALID, 400, NULL) \
    X(INVALID_IP_PROTOCOL, NOVA, "InvalidIpProtocol", INVALID, 400, NULL) \
    X(INVALID_CONTENT_TYPE, NOVA, "InvalidContentType", INVALID, 400, NULL) \
    X(INVALID_API_VERSION_STRING, NOVA, "InvalidAPIVersionString", INVALID, 400, NULL) \
    X(VERSION_NOT_FOUND_FOR_API_METHOD, NOVA, "VersionNotFoundForAPIMethod", INVALID, 400, NULL) \
    X(INVALID_GLOBAL_API_VERSION, NOVA, "InvalidGlobalAPIVersion", INVALID, 400, NULL) \
    X(API_VERSIONS_INTERSECT, NOVA, "ApiVersionsIntersect", INVALID, 400, NULL) \
    X(INVALID_PARAMETER_VALUE, NOVA, "InvalidParameterValue", INVALID, 400, "%(err)s") \
    X(INVALID_AGGREGATE_ACTION, NOVA, "InvalidAggregateAction", INVALID, 400, NULL) \
    X(INVALID_AGGREGATE_ACTION_ADD, NOVA, "InvalidAggregateActionAdd", INVALID_AGGREGATE_ACTION, 400, NULL) \
    X(INVALID_AGGREGATE_ACTION_DELETE, NOVA, "InvalidAggregateActionDelete", INVALID_AGGREGATE_ACTION, 400, NULL) \
    X(INVALID_AGGREGATE_ACTION_UPDATE, NOVA, "InvalidAggregateActionUpdate", INVALID_AGGREGATE_ACTION, 400, NULL) \
    X(INVALID_AGGREGATE_ACTION_UPDATE_META, NOVA, "InvalidAggregateActionUpdateMeta", INVALID_AGGREGATE_ACTION, 400, NULL) \
    X(INVALID_SORT_KEY, NOVA, "InvalidSortKey", INVALID, 400, NULL) \
    X(INVALID_STR_TIME, NOVA, "InvalidStrTime", INVALID, 400, NULL) \
    X(INVALID_NUMA_NODES_NUMBER, NOVA, "InvalidNUMANodesNumber", INVALID, 400, NULL) \
    X(INVALID_NAME, NOVA, "InvalidName", INVALID, 400, NULL) \
    X(INSTANCE_INVALID_STATE, NOVA, "InstanceInvalidState", INVALID, 400, "instance %(instance_uuid)s in %(attr)s %(state)s cannot %(method)s") \
    X(INSTANCE_NOT_RUNNING, NOVA, "InstanceNotRunning", INVALID, 400, "instance %(instance_id)s is not running") \
    X(INSTANCE_NOT_IN_RESCUE_MODE, NOVA, "InstanceNotInRescueMode", INVALID, 400, "instance %(instance_id)s is not in rescue mode") \
    X(INSTANCE_NOT_RESCUABLE, NOVA, "InstanceNotRescuable", INVALID, 400, "instance %(instance_id)s cannot be rescued: %(reason)s") \
    X(INSTANCE_NOT_READY, NOVA, "InstanceNotReady", INVALID, 400, "instance %(instance_id)s is not ready") \
    X(INSTANCE_SUSPEND_FAILURE, NOVA, "InstanceSuspendFailure", INVALID, 400, "suspend failed: %(reason)s") \
    X(INSTANCE_RESUME_FAILURE, NOVA, "InstanceResumeFailure", INVALID, 400, "resume failed: %(reason)s") \
    X(INSTANCE_POWER_ON_FAILURE, NOVA, "InstancePowerOnFailure", INVALID, 400, "power on failed: %(reason)s") \
    X(INSTANCE_POWER_OFF_FAILURE, NOVA, "InstancePowerOffFailure", INVALID, 400, "power off failed: %(reason)s") \
    X(INSTANCE_REBOOT_FAILURE, NOVA, "InstanceRebootFailure", INVALID, 400, "reboot failed: %(reason)s") \
    X(INSTANCE_TERMINATION_FAILURE, NOVA, "InstanceTerminationFailure", INVALID, 400, "terminate failed: %(reason)s") \
    X(INSTANCE_DEPLOY_FAILURE, NOVA, "InstanceDeployFailure", INVALID, 400, "deploy failed: %(reason)s") \
    X(MULTIPLE_PORTS_NOT_APPLICABLE, NOVA, "MultiplePortsNotApplicable", INVALID, 400, NULL) \
    X(AMBIGUOUS_HOSTNAME_FOR_MULTIPLE_INSTANCES, NOVA, "AmbiguousHostnameForMultipleInstances", INVALID, 400, NULL) \
    X(INVALID_FIXED_IP_AND_MAX_COUNT_REQUEST, NOVA, "InvalidFixedIpAndMaxCountRequest", INVALID, 400, NULL) \
    X(SERVICE_UNAVAILABLE, NOVA, "ServiceUnavailable", INVALID, 400, NULL) \
    X(SERVICE_NOT_UNIQUE, NOVA, "ServiceNotUnique", INVALID, 400, NULL) \
    X(COMPUTE_RESOURCES_UNAVAILABLE, NOVA, "ComputeResourcesUnavailable", SERVICE_UNAVAILABLE, 400, "not enough compute resources: %(reason)s") \
    X(HYPERVISOR_UNAVAILABLE, NOVA, "HypervisorUnavailable", NOVA_EXCEPTION, 500, "no connection to the hypervisor on this host") \
    X(COMPUTE_SERVICE_UNAVAILABLE, NOVA, "ComputeServiceUnavailable", SERVICE_UNAVAILABLE, 400, "the compute service of %(host)s is not available") \
    X(COMPUTE_SERVICE_IN_USE, NOVA, "ComputeServiceInUse", NOVA_EXCEPTION, 500, NULL) \
    X(UNABLE_TO_MIGRATE_TO_SELF, NOVA, "UnableToMigrateToSelf", INVALID, 400, "instance %(instance_id)s is on host %(host)s already") \
    X(OPERATION_NOT_SUPPORTED_FOR_SEV, NOVA, "OperationNotSupportedForSEV", NOT_SUPPORTED, 400, NULL) \
    X(OPERATION_NOT_SUPPORTED_FOR_VTPM, NOVA, "OperationNotSupportedForVTPM", NOT_SUPPORTED, 400, NULL) \
    X(OPERATION_NOT_SUPPORTED_FOR_VDPA_INTERFACE, NOVA, "OperationNotSupportedForVDPAInterface", NOT_SUPPORTED, 400, NULL) \
    X(INVALID_HYPERVISOR_TYPE, NOVA, "InvalidHypervisorType", INVALID, 400, NULL) \
    X(HYPERVISOR_TOO_OLD, NOVA, "HypervisorTooOld", INVALID, 400, NULL) \
    X(DESTINATION_HYPERVISOR_TOO_OLD, NOVA, "DestinationHypervisorTooOld", INVALID, 400, NULL) \
    X(SERVICE_TOO_OLD, NOVA, "ServiceTooOld", INVALID, 400, "this service (version %(thisver)s) is older than the minimum (version %(minver)s)") \
    X(TOO_OLD_COMPUTE_SERVICE, NOVA, "TooOldComputeService", INVALID, 400, "the version of nova-compute in %(scope)s is %(min_service_level)s; it must be at least %(oldest_supported_service)s (%(oldest_supported_version)s)") \
    X(DESTINATION_DISK_EXISTS, NOVA, "DestinationDiskExists", INVALID, 400, "disk %(path)s already exists") \
    X(INVALID_DEVICE_PATH, NOVA, "InvalidDevicePath", INVALID, 400, "device path %(path)s is not valid") \
    X(DEVICE_PATH_IN_USE, NOVA, "DevicePathInUse", INVALID, 409, "device path %(path)s is in use") \
    X(INVALID_CPU_INFO, NOVA, "InvalidCPUInfo", INVALID, 400, "CPU info is not acceptable: %(reason)s") \
    X(INVALID_IP_ADDRESS_ERROR, NOVA, "InvalidIpAddressError", INVALID, 400, NULL) \
    X(INVALID_DISK_FORMAT, NOVA, "InvalidDiskFormat", INVALID, 400, "disk format %(disk_format)s is not acceptable") \
    X(INVALID_DISK_INFO, NOVA, "InvalidDiskInfo", INVALID, 400, "disk info file is not valid: %(reason)s") \
    X(DISK_INFO_READ_WRITE_FAIL, NOVA, "DiskInfoReadWriteFail", INVALID, 400, "disk info file cannot be read or written: %(reason)s") \
    X(IMAGE_UNACCEPTABLE, NOVA, "ImageUnacceptable", INVALID, 400, "image %(image_id)s is not acceptable: %(reason)s") \
    X(IMAGE_BAD_REQUEST, NOVA, "ImageBadRequest", INVALID, 400, "the request for image %(image_id)s was refused: %(response)s") \
    X(IMAGE_IMPORT_IMPOSSIBLE, NOVA, "ImageImportImpossible", INVALID, 400, NULL) \
    X(IMAGE_QUOTA_EXCEEDED, NOVA, "ImageQuotaExceeded", NOVA_EXCEPTION, 500, "the quota is exceeded for image %(image_id)s") \
    X(INSTANCE_UNACCEPTABLE, NOVA, "InstanceUnacceptable", INVALID, 400, "instance %(instance_id)s is not acceptable: %(reason)s") \
    X(INVALID_UUID, NOVA, "InvalidUUID", INVALID, 400, "%(uuid)s is no UUID") \
    X(INVALID_ID, NOVA, "InvalidID", INVALID, 400, NULL) \
    X(CONSTRAINT_NOT_MET, NOVA, "ConstraintNotMet", NOVA_EXCEPTION, 412, NULL) \
    X(NOT_FOUND, NOVA, "NotFound", NOVA_EXCEPTION, 404, NULL) \
    X(VOLUME_ATTACHMENT_NOT_FOUND, NOVA, "VolumeAttachmentNotFound", NOT_FOUND, 404, "volume attachment %(attachment_id)s was not found") \
    X(VOLUME_NOT_FOUND, NOVA, "VolumeNotFound", NOT_FOUND, 404, "volume %(volume_id)s was not found") \
    X(VOLUME_TYPE_NOT_FOUND, NOVA, "VolumeTypeNotFound", NOT_FOUND, 404, NULL) \
    X(UNDEFINED_ROOT_BDM, NOVA, "UndefinedRootBDM", NOVA_EXCEPTION, 500, "no root block device is defined") \
    X(BDM_NOT_FOUND, NOVA, "BDMNotFound", NOT_FOUND, 404, "block device mapping %(id)s was not found") \
    X(VOLUME_BDM_NOT_FOUND, NOVA, "VolumeBDMNotFound", NOT_FOUND, 404, "no block device mapping of volume %(volume_id)s was found") \
    X(VOLUME_BDM_IS_MULTI_ATTACH, NOVA, "VolumeBDMIsMultiAttach", INVALID, 400, NULL) \
    X(VOLUME_BDM_PATH_NOT_FOUND, NOVA, "VolumeBDMPathNotFound", VOLUME_BDM_NOT_FOUND, 404, NULL) \
    X(DEVICE_DETACH_FAILED, NOVA, "DeviceDetachFailed", NOVA_EXCEPTION, 500, "device %(device)s cannot be detached: %(reason)s") \
    X(DEVICE_NOT_FOUND, NOVA, "DeviceNotFound", NOT_FOUND, 404, "device %(device)s was not found") \
    X(SNAPSHOT_NOT_FOUND, NOVA, "SnapshotNotFound", NOT_FOUND, 404, NULL) \
    X(DISK_NOT_FOUND, NOVA, "DiskNotFound", NOT_FOUND, 404, "no disk at %(location)s") \
    X(VOLUME_DRIVER_NOT_FOUND, NOVA, "VolumeDriverNotFound", NOT_FOUND, 404, NULL) \
    X(VOLUME_DRIVER_NOT_SUPPORTED, NOVA, "VolumeDriverNotSupported", VOLUME_DRIVER_NOT_FOUND, 404, NULL) \
    X(INVALID_IMAGE_REF, NOVA, "InvalidImageRef", INVALID, 400, "image reference %(image_href)s is not valid") \
    X(INVALID_IMAGE_PROPERTY_NAME, NOVA, "InvalidImagePropertyName", INVALID, 400, NULL) \
    X(AUTO_DISK_CONFIG_DISABLED_BY_IMAGE, NOVA, "AutoDiskConfigDisabledByImage", INVALID, 400, NULL) \
    X(IMAGE_NOT_FOUND, NOVA, "ImageNotFound", NOT_FOUND, 404, "image %(image_id)s was not found") \
    X(IMAGE_DELETE_CONFLICT, NOVA, "ImageDeleteConflict", NOVA_EXCEPTION, 500, "the image cannot be deleted: %(reason)s") \
    X(PRESERVE_EPHEMERAL_NOT_SUPPORTED, NOVA, "PreserveEphemeralNotSupported", INVALID, 400, "preserving ephemeral disks is not supported") \
    X(INSTANCE_MAPPING_NOT_FOUND, NOVA, "InstanceMappingNotFound", NOT_FOUND, 404, NULL) \
    X(INVALID_CIDR, NOVA, "InvalidCidr", INVALID, 400, NULL) \
    X(NETWORK_NOT_FOUND, NOVA, "NetworkNotFound", NOT_FOUND, 404, "network %(network_id)s was not found") \
    X(PORT_NOT_FOUND, NOVA, "PortNotFound", NOT_FOUND, 404, "port %(port_id)s was not found") \
    X(NETWORK_NOT_FOUND_FOR_BRIDGE, NOVA, "NetworkNotFoundForBridge", NETWORK_NOT_FOUND, 404, NULL) \
    X(NETWORK_NOT_FOUND_FOR_INSTANCE, NOVA, "NetworkNotFoundForInstance", NETWORK_NOT_FOUND, 404, "no network of instance %(instance_id)s was found") \
    X(NETWORK_AMBIGUOUS, NOVA, "NetworkAmbiguous", INVALID, 400, "more than one network is possible, name one") \
    X(UNABLE_TO_AUTO_ALLOCATE_NETWORK, NOVA, "UnableToAutoAllocateNetwork", INVALID, 400, "no network can be made for project %(project_id)s") \
    X(NETWORK_REQUIRES_SUBNET, NOVA, "NetworkRequiresSubnet", INVALID, 400, NULL) \
    X(EXTERNAL_NETWORK_ATTACH_FORBIDDEN, NOVA, "ExternalNetworkAttachForbidden", FORBIDDEN, 403, "external network %(network_uuid)s may not be attached") \
    X(NETWORK_MISSING_PHYSICAL_NETWORK, NOVA, "NetworkMissingPhysicalNetwork", NOVA_EXCEPTION, 500, NULL) \
    X(VIF_DETAILS_MISSING_VHOSTUSER_SOCK_PATH, NOVA, "VifDetailsMissingVhostuserSockPath", INVALID, 400, NULL) \
    X(VIF_DETAILS_MISSING_MACVTAP_PARAMETERS, NOVA, "VifDetailsMissingMacvtapParameters", INVALID, 400, NULL) \
    X(DATASTORE_NOT_FOUND, NOVA, "DatastoreNotFound", NOT_FOUND, 404, NULL) \
    X(PORT_IN_USE, NOVA, "PortInUse", INVALID, 400, "port %(port_id)s is in use") \
    X(PORT_REQUIRES_FIXED_IP, NOVA, "PortRequiresFixedIP", INVALID, 400, "port %(port_id)s needs a fixed IP") \
    X(PORT_NOT_USABLE, NOVA, "PortNotUsable", INVALID, 400, "port %(port_id)s cannot be used by instance %(instance)s") \
    X(PORT_NOT_USABLE_DNS, NOVA, "PortNotUsableDNS", INVALID, 400, "port %(port_id)s cannot be used by instance %(instance)s: its dns_name is %(value)s, the host name %(hostname)s") \
    X(PORT_BINDING_FAILED, NOVA, "PortBindingFailed", INVALID, 400, "binding of port %(port_id)s failed, the logs of neutron say why") \
    X(PORT_BINDING_DELETION_FAILED, NOVA, "PortBindingDeletionFailed", NOVA_EXCEPTION, 500, "the binding of port %(port_id)s to host %(host)s cannot be deleted") \
    X(PORT_BINDING_ACTIVATION_FAILED, NOVA, "PortBindingActivationFailed", NOVA_EXCEPTION, 500, "the binding of port %(port_id)s to host %(host)s cannot be activated") \
    X(PORT_UPDATE_FAILED, NOVA, "PortUpdateFailed", INVALID, 400, "port %(port_id)s cannot be updated: %(reason)s") \
    X(ATTACH_SRIOV_PORT_NOT_SUPPORTED, NOVA, "AttachSRIOVPortNotSupported", INVALID, 400, NULL) \
    X(FIXED_IP_NOT_FOUND_FOR_ADDRESS, NOVA, "FixedIpNotFoundForAddress", NOT_FOUND, 404, "no fixed IP with address %(address)s") \
    X(FIXED_IP_NOT_FOUND_FOR_INSTANCE, NOVA, "FixedIpNotFoundForInstance", NOT_FOUND, 404, "instance %(instance_uuid)s has no fixed IP %(ip)s") \
    X(FIXED_IP_ALREADY_IN_USE, NOVA, "FixedIpAlreadyInUse", NOVA_EXCEPTION, 500, "fixed IP %(address)s is taken already, by instance %(instance_uuid)s") \
    X(FIXED_IP_ASSOCIATED_WITH_MULTIPLE_INSTANCES, NOVA, "FixedIpAssociatedWithMultipleInstances", NOVA_EXCEPTION, 500, NULL) \
    X(FIXED_IP_INVALID_ON_HOST, NOVA, "FixedIpInvalidOnHost", INVALID, 400, "the fixed IP of port %(port_id)s is not valid on this host") \
    X(NO_MORE_FIXED_IPS, NOVA, "NoMoreFixedIps", NOVA_EXCEPTION, 500, "no fixed IP is left in network %(net)s") \
    X(FLOATING_IP_NOT_FOUND, NOVA, "FloatingIpNotFound", NOT_FOUND, 404, NULL) \
    X(FLOATING_IP_NOT_FOUND_FOR_ADDRESS, NOVA, "FloatingIpNotFoundForAddress", FLOATING_IP_NOT_FOUND, 404, NULL) \
    X(FLOATING_IP_MULTIPLE_FOUND_FOR_ADDRESS, NOVA, "FloatingIpMultipleFoundForAddress", NOVA_EXCEPTION, 500, NULL) \
    X(FLOATING_IP_POOL_NOT_FOUND, NOVA, "FloatingIpPoolNotFound", NOT_FOUND, 404, NULL) \
    X(NO_MORE_FLOATING_IPS, NOVA, "NoMoreFloatingIps", FLOATING_IP_NOT_FOUND, 404, NULL) \
    X(FLOATING_IP_ASSOCIATED, NOVA, "FloatingIpAssociated", NOVA_EXCEPTION, 500, NULL) \
    X(NO_FLOATING_IP_INTERFACE, NOVA, "NoFloatingIpInterface", NOT_FOUND, 404, NULL) \
    X(FLOATING_IP_ASSOCIATE_FAILED, NOVA, "FloatingIpAssociateFailed", NOVA_EXCEPTION, 500, NULL) \
    X(FLOATING_IP_BAD_REQUEST, NOVA, "FloatingIpBadRequest", INVALID, 400, NULL) \
    X(KEYPAIR_NOT_FOUND, NOVA, "KeypairNotFound", NOT_FOUND, 404, NULL) \
    X(SERVICE_NOT_FOUND, NOVA, "ServiceNotFound", NOT_FOUND, 404, "service %(service_id)s was not found") \
    X(CONF_GROUP_FOR_SERVICE_TYPE_NOT_FOUND, NOVA, "ConfGroupForServiceTypeNotFound", SERVICE_NOT_FOUND, 404, NULL) \
    X(SERVICE_BINARY_EXISTS, NOVA, "ServiceBinaryExists", NOVA_EXCEPTION, 500, NULL) \
    X(SERVICE_TOPIC_EXISTS, NOVA, "ServiceTopicExists", NOVA_EXCEPTION, 500, NULL) \
    X(HOST_NOT_FOUND, NOVA, "HostNotFound", NOT_FOUND, 404, "host %(host)s was not found") \
    X(COMPUTE_HOST_NOT_FOUND, NOVA, "ComputeHostNotFound", HOST_NOT_FOUND, 404, "compute host %(host)s was not found") \
    X(HOST_BINARY_NOT_FOUND, NOVA, "HostBinaryNotFound", NOT_FOUND, 404, NULL) \
    X(INVALID_QUOTA_VALUE, NOVA, "InvalidQuotaValue", INVALID, 400, NULL) \
    X(INVALID_QUOTA_METHOD_USAGE, NOVA, "InvalidQuotaMethodUsage", INVALID, 400, NULL) \
    X(QUOTA_NOT_FOUND, NOVA, "QuotaNotFound", NOT_FOUND, 404, NULL) \
    X(QUOTA_EXISTS, NOVA, "QuotaExists", NOVA_EXCEPTION, 500, NULL) \
    X(QUOTA_RESOURCE_UNKNOWN, NOVA, "QuotaResourceUnknown", QUOTA_NOT_FOUND, 404, NULL) \
    X(PROJECT_USER_QUOTA_NOT_FOUND, NOVA, "ProjectUserQuotaNotFound", QUOTA_NOT_FOUND, 404, NULL) \
    X(PROJECT_QUOTA_NOT_FOUND, NOVA, "ProjectQuotaNotFound", QUOTA_NOT_FOUND, 404, NULL) \
    X(QUOTA_CLASS_NOT_FOUND, NOVA, "QuotaClassNotFound", QUOTA_NOT_FOUND, 404, NULL) \
    X(QUOTA_CLASS_EXISTS, NOVA, "QuotaClassExists", NOVA_EXCEPTION, 500, NULL) \
    X(SECURITY_GROUP_NOT_FOUND, NOVA, "SecurityGroupNotFound", NOT_FOUND, 404, "security group %(security_group_id)s was not found") \
    X(SECURITY_GROUP_NOT_FOUND_FOR_PROJECT, NOVA, "SecurityGroupNotFoundForProject", SECURITY_GROUP_NOT_FOUND, 404, NULL) \
    X(SECURITY_GROUP_EXISTS, NOVA, "SecurityGroupExists", INVALID, 400, NULL) \
    X(SECURITY_GROUP_CANNOT_BE_APPLIED, NOVA, "SecurityGroupCannotBeApplied", INVALID, 400, "security groups need a network with a subnet and with port security") \
    X(NO_UNIQUE_MATCH, NOVA, "NoUniqueMatch", NOVA_EXCEPTION, 409, NULL) \
    X(NO_ACTIVE_MIGRATION_FOR_INSTANCE, NOVA, "NoActiveMigrationForInstance", NOT_FOUND, 404, NULL) \
    X(MIGRATION_NOT_FOUND, NOVA, "MigrationNotFound", NOT_FOUND, 404, "migration %(migration_id)s was not found") \
    X(MIGRATION_NOT_FOUND_BY_STATUS, NOVA, "MigrationNotFoundByStatus", MIGRATION_NOT_FOUND, 404, "instance %(instance_id)s has no migration with status %(status)s") \
    X(MIGRATION_NOT_FOUND_FOR_INSTANCE, NOVA, "MigrationNotFoundForInstance", MIGRATION_NOT_FOUND, 404, NULL) \
    X(INVALID_MIGRATION_STATE, NOVA, "InvalidMigrationState", INVALID, 400, "migration %(migration_id)s of instance %(instance_uuid)s in state %(state)s cannot %(method)s") \
    X(CONSOLE_LOG_OUTPUT_EXCEPTION, NOVA, "ConsoleLogOutputException", NOVA_EXCEPTION, 500, "the console log of instance %(instance_id)s cannot be read: %(reason)s") \
    X(CONSOLE_NOT_AVAILABLE, NOVA, "ConsoleNotAvailable", NOT_FOUND, 404, "the console of the guest cannot be reached") \
    X(CONSOLE_TYPE_INVALID, NOVA, "ConsoleTypeInvalid", INVALID, 400, "console type %(console_type)s is not valid") \
    X(CONSOLE_TYPE_UNAVAILABLE, NOVA, "ConsoleTypeUnavailable", INVALID, 400, "console type %(console_type)s is not available") \
    X(CONSOLE_PORT_RANGE_EXHAUSTED, NOVA, "ConsolePortRangeExhausted", NOVA_EXCEPTION, 500, NULL) \
    X(FLAVOR_NOT_FOUND, NOVA, "FlavorNotFound", NOT_FOUND, 404, "flavor %(flavor_id)s was not found") \
    X(FLAVOR_NOT_FOUND_BY_NAME, NOVA, "FlavorNotFoundByName", FLAVOR_NOT_FOUND, 404, NULL) \
    X(FLAVOR_ACCESS_NOT_FOUND, NOVA, "FlavorAccessNotFound", NOT_FOUND, 404, NULL) \
    X(FLAVOR_EXTRA_SPEC_UPDATE_CREATE_FAILED, NOVA, "FlavorExtraSpecUpdateCreateFailed", NOVA_EXCEPTION, 500, NULL) \
    X(CELL_TIMEOUT, NOVA, "CellTimeout", NOT_FOUND, 404, NULL) \
    X(SCHEDULER_HOST_FILTER_NOT_FOUND, NOVA, "SchedulerHostFilterNotFound", NOT_FOUND, 404, NULL) \
    X(FLAVOR_EXTRA_SPECS_NOT_FOUND, NOVA, "FlavorExtraSpecsNotFound", NOT_FOUND, 404, NULL) \
    X(COMPUTE_HOST_METRIC_NOT_FOUND, NOVA, "ComputeHostMetricNotFound", NOT_FOUND, 404, NULL) \
    X(FILE_NOT_FOUND, NOVA, "FileNotFound", NOT_FOUND, 404, "file %(file_path)s was not found") \
    X(CLASS_NOT_FOUND, NOVA, "ClassNotFound", NOT_FOUND, 404, NULL) \
    X(INSTANCE_TAG_NOT_FOUND, NOVA, "InstanceTagNotFound", NOT_FOUND, 404, NULL) \
    X(KEY_PAIR_EXISTS, NOVA, "KeyPairExists", NOVA_EXCEPTION, 500, NULL) \
    X(INSTANCE_EXISTS, NOVA, "InstanceExists", NOVA_EXCEPTION, 500, "instance %(name)s already exists") \
    X(FLAVOR_EXISTS, NOVA, "FlavorExists", NOVA_EXCEPTION, 500, NULL) \
    X(FLAVOR_ID_EXISTS, NOVA, "FlavorIdExists", NOVA_EXCEPTION, 500, NULL) \
    X(FLAVOR_ACCESS_EXISTS, NOVA, "FlavorAccessExists", NOVA_EXCEPTION, 500, NULL) \
    X(INVALID_SHARED_STORAGE, NOVA, "InvalidSharedStorage", NOVA_EXCEPTION, 500, "%(path)s is not on shared storage: %(reason)s") \
    X(INVALID_LOCAL_STORAGE, NOVA, "InvalidLocalStorage", NOVA_EXCEPTION, 500, "%(path)s is not on local storage: %(reason)s") \
    X(STORAGE_ERROR, NOVA, "StorageError", NOVA_EXCEPTION, 500, NULL) \
    X(MIGRATION_ERROR, NOVA, "MigrationError", NOVA_EXCEPTION, 500, "migration failed: %(reason)s") \
    X(MIGRATION_PRE_CHECK_ERROR, NOVA, "MigrationPreCheckError", MIGRATION_ERROR, 500, "migration check failed: %(reason)s") \
    X(MIGRATION_SCHEDULER_RPC_ERROR, NOVA, "MigrationSchedulerRPCError", MIGRATION_ERROR, 500, NULL) \
    X(MALFORMED_REQUEST_BODY, NOVA, "MalformedRequestBody", NOVA_EXCEPTION, 500, NULL) \
    X(CONFIG_NOT_FOUND, NOVA, "ConfigNotFound", NOVA_EXCEPTION, 500, "no configuration at %(path)s") \
    X(PASTE_APP_NOT_FOUND, NOVA, "PasteAppNotFound", NOVA_EXCEPTION, 500, NULL) \
    X(CANNOT_RESIZE_TO_SAME_FLAVOR, NOVA, "CannotResizeToSameFlavor", NOVA_EXCEPTION, 500, NULL) \
    X(RESIZE_ERROR, NOVA, "ResizeError", NOVA_EXCEPTION, 500, "resize failed: %(reason)s") \
    X(CANNOT_RESIZE_DISK, NOVA, "CannotResizeDisk", NOVA_EXCEPTION, 500, "the disk cannot be resized: %(reason)s") \
    X(FLAVOR_MEMORY_TOO_SMALL, NOVA, "FlavorMemoryTooSmall", NOVA_EXCEPTION, 500, "the memory of the flavor is too small for the image") \
    X(FLAVOR_DISK_TOO_SMALL, NOVA, "FlavorDiskTooSmall", NOVA_EXCEPTION, 500, "the disk of the flavor is too small for the image") \
    X(FLAVOR_DISK_SMALLER_THAN_IMAGE, NOVA, "FlavorDiskSmallerThanImage", FLAVOR_DISK_TOO_SMALL, 500, "the disk of the flavor (%(flavor_size)s bytes) is smaller than the image (%(image_size)s bytes)") \
    X(FLAVOR_DISK_SMALLER_THAN_MIN_DISK, NOVA, "FlavorDiskSmallerThanMinDisk", FLAVOR_DISK_TOO_SMALL, 500, "the disk of the flavor (%(flavor_size)s bytes) is smaller than the min_disk of the image (%(image_min_disk)s bytes)") \
    X(VOLUME_SMALLER_THAN_MIN_DISK, NOVA, "VolumeSmallerThanMinDisk", FLAVOR_DISK_TOO_SMALL, 500, NULL) \
    X(BOOT_FROM_VOLUME_REQUIRED_FOR_ZERO_DISK_FLAVOR, NOVA, "BootFromVolumeRequiredForZeroDiskFlavor", FORBIDDEN, 403, NULL) \
    X(NO_VALID_HOST, NOVA, "NoValidHost", NOVA_EXCEPTION, 500, "no valid host was found: %(reason)s") \
    X(REQUEST_FILTER_FAILED, NOVA, "RequestFilterFailed", NOVA_EXCEPTION, 500, NULL) \
    X(INVALID_ROUTED_NETWORK_CONFIGURATION, NOVA, "InvalidRoutedNetworkConfiguration", NOVA_EXCEPTION, 500, NULL) \
    X(MAX_RETRIES_EXCEEDED, NOVA, "MaxRetriesExceeded", NO_VALID_HOST, 500, "the number of attempts is used up: %(reason)s") \
    X(OVER_QUOTA, NOVA, "OverQuota", NOVA_EXCEPTION, 413, NULL) \
    X(TOO_MANY_INSTANCES, NOVA, "TooManyInstances", OVER_QUOTA, 413, NULL) \
    X(FLOATING_IP_LIMIT_EXCEEDED, NOVA, "FloatingIpLimitExceeded", OVER_QUOTA, 413, NULL) \
    X(METADATA_LIMIT_EXCEEDED, NOVA, "MetadataLimitExceeded", OVER_QUOTA, 413, NULL) \
    X(ONSET_FILE_LIMIT_EXCEEDED, NOVA, "OnsetFileLimitExceeded", OVER_QUOTA, 413, NULL) \
    X(ONSET_FILE_PATH_LIMIT_EXCEEDED, NOVA, "OnsetFilePathLimitExceeded", ONSET_FILE_LIMIT_EXCEEDED, 413, NULL) \
    X(ONSET_FILE_CONTENT_LIMIT_EXCEEDED, NOVA, "OnsetFileContentLimitExceeded", ONSET_FILE_LIMIT_EXCEEDED, 413, NULL) \
    X(KEYPAIR_LIMIT_EXCEEDED, NOVA, "KeypairLimitExceeded", OVER_QUOTA, 413, NULL) \
    X(SECURITY_GROUP_LIMIT_EXCEEDED, NOVA, "SecurityGroupLimitExceeded", OVER_QUOTA, 413, NULL) \
    X(PORT_LIMIT_EXCEEDED, NOVA, "PortLimitExceeded", OVER_QUOTA, 413, "the project may have no more ports") \
    X(SERVER_GROUP_LIMIT_EXCEEDED, NOVA, "ServerGroupLimitExceeded", OVER_QUOTA, 413, NULL) \
    X(GROUP_MEMBER_LIMIT_EXCEEDED, NOVA, "GroupMemberLimitExceeded", OVER_QUOTA, 413, NULL) \
    X(AGGREGATE_NOT_FOUND, NOVA, "AggregateNotFound", NOT_FOUND, 404, NULL) \
    X(AGGREGATE_NAME_EXISTS, NOVA, "AggregateNameExists", NOVA_EXCEPTION, 500, NULL) \
    X(AGGREGATE_HOST_NOT_FOUND, NOVA, "AggregateHostNotFound", NOT_FOUND, 404, NULL) \
    X(AGGREGATE_METADATA_NOT_FOUND, NOVA, "AggregateMetadataNotFound", NOT_FOUND, 404, NULL) \
    X(AGGREGATE_HOST_EXISTS, NOVA, "AggregateHostExists", NOVA_EXCEPTION, 500, NULL) \
    X(INSTANCE_PASSWORD_SET_FAILED, NOVA, "InstancePasswordSetFailed", NOVA_EXCEPTION, 500, "the password of instance %(instance)s cannot be set: %(reason)s") \
    X(INSTANCE_NOT_FOUND, NOVA, "InstanceNotFound", NOT_FOUND, 404, "Instance %(instance_id)s could not be found.") \
    X(INSTANCE_INFO_CACHE_NOT_FOUND, NOVA, "InstanceInfoCacheNotFound", NOT_FOUND, 404, "instance %(instance_uuid)s has no info cache") \
    X(MARKER_NOT_FOUND, NOVA, "MarkerNotFound", NOT_FOUND, 404, NULL) \
    X(COULD_NOT_FETCH_IMAGE, NOVA, "CouldNotFetchImage", NOVA_EXCEPTION, 500, "image %(image_id)s cannot be fetched") \
    X(COULD_NOT_UPLOAD_IMAGE, NOVA, "CouldNotUploadImage", NOVA_EXCEPTION, 500, "image %(image_id)s cannot be uploaded") \
    X(TASK_ALREADY_RUNNING, NOVA, "TaskAlreadyRunning", NOVA_EXCEPTION, 500, NULL) \
    X(TASK_NOT_RUNNING, NOVA, "TaskNotRunning", NOVA_EXCEPTION, 500, NULL) \
    X(INSTANCE_IS_LOCKED, NOVA, "InstanceIsLocked", INSTANCE_INVALID_STATE, 400, "instance %(instance_uuid)s is locked") \
    X(CONFIG_DRIVE_INVALID_VALUE, NOVA, "ConfigDriveInvalidValue", INVALID, 400, "value of config drive option %(option)s is not valid") \
    X(CONFIG_DRIVE_UNSUPPORTED_FORMAT, NOVA, "ConfigDriveUnsupportedFormat", INVALID, 400, "config drive format %(format)s is not supported") \
    X(CONFIG_DRIVE_MOUNT_FAILED, NOVA, "ConfigDriveMountFailed", NOVA_EXCEPTION, 500, "config drive %(operation)s failed: %(error)s") \
    X(CONFIG_DRIVE_UNKNOWN_FORMAT, NOVA, "ConfigDriveUnknownFormat", NOVA_EXCEPTION, 500, "config drive format %(format)s is not known, use iso9660 or vfat") \
    X(CONFIG_DRIVE_NOT_FOUND, NOVA, "ConfigDriveNotFound", NOT_FOUND, 404, NULL) \
    X(INTERFACE_ATTACH_FAILED, NOVA, "InterfaceAttachFailed", NOVA_EXCEPTION, 500, "attaching a network interface to instance %(instance_uuid)s failed") \
    X(INTERFACE_ATTACH_FAILED_NO_NETWORK, NOVA, "InterfaceAttachFailedNoNetwork", INVALID, 400, "project %(project_id)s has no network to attach") \
    X(INTERFACE_ATTACH_PCI_CLAIM_FAILED, NOVA, "InterfaceAttachPciClaimFailed", INVALID, 400, NULL) \
    X(INTERFACE_ATTACH_RESOURCE_ALLOCATION_FAILED, NOVA, "InterfaceAttachResourceAllocationFailed", INVALID, 400, NULL) \
    X(INTERFACE_DETACH_FAILED, NOVA, "InterfaceDetachFailed", INVALID, 400, "detaching a network interface from instance %(instance_uuid)s failed") \
    X(INSTANCE_USER_DATA_MALFORMED, NOVA, "InstanceUserDataMalformed", NOVA_EXCEPTION, 500, NULL) \
    X(INSTANCE_UPDATE_CONFLICT, NOVA, "InstanceUpdateConflict", NOVA_EXCEPTION, 500, "conflict while instance %(instance_uuid)s was updated: expected %(expected)s, found %(actual)s") \
    X(UNKNOWN_INSTANCE_UPDATE_CONFLICT, NOVA, "UnknownInstanceUpdateConflict", INSTANCE_UPDATE_CONFLICT, 500, NULL) \
    X(UNEXPECTED_TASK_STATE_ERROR, NOVA, "UnexpectedTaskStateError", INSTANCE_UPDATE_CONFLICT, 500, "unexpected task state of instance %(instance_uuid)s: expected %(expected)s, found %(actual)s") \
    X(UNEXPECTED_DELETING_TASK_STATE_ERROR, NOVA, "UnexpectedDeletingTaskStateError", UNEXPECTED_TASK_STATE_ERROR, 500, "unexpected task state of instance %(instance_uuid)s: expected %(expected)s, found %(actual)s") \
    X(INSTANCE_ACTION_NOT_FOUND, NOVA, "InstanceActionNotFound", NOVA_EXCEPTION, 500, "instance %(instance_uuid)s has no action of request %(request_id)s") \
    X(INSTANCE_ACTION_EVENT_NOT_FOUND, NOVA, "InstanceActionEventNotFound", NOVA_EXCEPTION, 500, "action %(action_id)s has no event %(event)s") \
    X(INSTANCE_EVACUATE_NOT_SUPPORTED, NOVA, "InstanceEvacuateNotSupported", INVALID, 400, NULL) \
    X(DB_NOT_ALLOWED, NOVA, "DBNotAllowed", NOVA_EXCEPTION, 500, NULL) \
    X(UNSUPPORTED_VIRT_TYPE, NOVA, "UnsupportedVirtType", INVALID, 400, "virtualisation type %(virt)s is not supported") \
    X(UNSUPPORTED_HARDWARE, NOVA, "UnsupportedHardware", INVALID, 400, "hardware model %(model)s is not supported by virtualisation type %(virt)s") \
    X(UNSUPPORTED_RESCUE_BUS, NOVA, "UnsupportedRescueBus", INVALID, 400, "rescue bus %(bus)s is not supported by virtualisation type %(virt)s") \
    X(UNSUPPORTED_RESCUE_DEVICE, NOVA, "UnsupportedRescueDevice", INVALID, 400, "rescue device %(device)s is not supported") \
    X(UNSUPPORTED_RESCUE_IMAGE, NOVA, "UnsupportedRescueImage", INVALID, 400, "rescue image %(image)s is not supported") \
    X(BASE64_EXCEPTION, NOVA, "Base64Exception", NOVA_EXCEPTION, 500, NULL) \
    X(BUILD_ABORT_EXCEPTION, NOVA, "BuildAbortException", NOVA_EXCEPTION, 500, "build of instance %(instance_uuid)s aborted: %(reason)s") \
    X(RESCHEDULED_EXCEPTION, NOVA, "RescheduledException", NOVA_EXCEPTION, 500, "build of instance %(instance_uuid)s was re-scheduled: %(reason)s") \
    X(RESCHEDULED_BY_POLICY_EXCEPTION, NOVA, "RescheduledByPolicyException", RESCHEDULED_EXCEPTION, 500, "build of instance %(instance_uuid)s was re-scheduled: %(reason)s") \
    X(GROUP_AFFINITY_VIOLATION, NOVA, "GroupAffinityViolation", NOVA_EXCEPTION, 500, "the %(policy)s policy of the server group is violated") \
    X(INSTANCE_FAULT_ROLLBACK, NOVA, "InstanceFaultRollback", NOVA_EXCEPTION, 500, "the operation was rolled back") \
    X(ORPHANED_OBJECT_ERROR, NOVA, "OrphanedObjectError", NOVA_EXCEPTION, 500, "cannot call %(method)s on an orphaned %(objtype)s object") \
    X(OBJECT_ACTION_ERROR, NOVA, "ObjectActionError", NOVA_EXCEPTION, 500, "object action %(action)s failed: %(reason)s") \
    X(INSTANCE_GROUP_NOT_FOUND, NOVA, "InstanceGroupNotFound", NOT_FOUND, 404, "server group %(group_uuid)s was not found") \
    X(INSTANCE_GROUP_ID_EXISTS, NOVA, "InstanceGroupIdExists", NOVA_EXCEPTION, 500, NULL) \
    X(INSTANCE_GROUP_SAVE_EXCEPTION, NOVA, "InstanceGroupSaveException", NOVA_EXCEPTION, 500, NULL) \
    X(RESOURCE_MONITOR_ERROR, NOVA, "ResourceMonitorError", NOVA_EXCEPTION, 500, NULL) \
    X(PCI_DEVICE_WRONG_ADDRESS_FORMAT, NOVA, "PciDeviceWrongAddressFormat", NOVA_EXCEPTION, 500, NULL) \
    X(PCI_DEVICE_INVALID_DEVICE_NAME, NOVA, "PciDeviceInvalidDeviceName", NOVA_EXCEPTION, 500, NULL) \
    X(PCI_DEVICE_NOT_FOUND_BY_ID, NOVA, "PciDeviceNotFoundById", NOT_FOUND, 404, NULL) \
    X(PCI_DEVICE_NOT_FOUND, NOVA, "PciDeviceNotFound", NOT_FOUND, 404, "PCI device %(node_id)s:%(address)s was not found") \
    X(PCI_DEVICE_INVALID_STATUS, NOVA, "PciDeviceInvalidStatus", INVALID, 400, NULL) \
    X(PCI_DEVICE_VF_INVALID_STATUS, NOVA, "PciDeviceVFInvalidStatus", INVALID, 400, NULL) \
    X(PCI_DEVICE_PF_INVALID_STATUS, NOVA, "PciDevicePFInvalidStatus", INVALID, 400, NULL) \
    X(PCI_DEVICE_INVALID_OWNER, NOVA, "PciDeviceInvalidOwner", INVALID, 400, NULL) \
    X(PCI_DEVICE_REQUEST_FAILED, NOVA, "PciDeviceRequestFailed", NOVA_EXCEPTION, 500, "the PCI device request %(requests)s failed") \
    X(PCI_DEVICE_POOL_EMPTY, NOVA, "PciDevicePoolEmpty", NOVA_EXCEPTION, 500, NULL) \
    X(PCI_INVALID_ALIAS, NOVA, "PciInvalidAlias", INVALID, 400, NULL) \
    X(PCI_REQUEST_ALIAS_NOT_DEFINED, NOVA, "PciRequestAliasNotDefined", NOVA_EXCEPTION, 500, NULL) \
    X(PCI_CONFIG_INVALID_SPEC, NOVA, "PciConfigInvalidSpec", INVALID, 400, NULL) \
    X(PCI_REQUEST_FROM_VIF_NOT_FOUND, NOVA, "PciRequestFromVIFNotFound", NOT_FOUND, 404, NULL) \
    X(PCI_DEVICE_REMOTE_MANAGED_NOT_PRESENT, NOVA, "PciDeviceRemoteManagedNotPresent", NOVA_EXCEPTION, 500, NULL) \
    X(PCI_DEVICE_INVALID_PF_REMOTE_MANAGED, NOVA, "PciDeviceInvalidPFRemoteManaged", NOVA_EXCEPTION, 500, NULL) \
    X(INTERNAL_ERROR, NOVA, "InternalError", NOVA_EXCEPTION, 500, "%(err)s") \
    X(PCI_DEVICE_DETACH_FAILED, NOVA, "PciDeviceDetachFailed", NOVA_EXCEPTION, 500, NULL) \
    X(PCI_DEVICE_UNSUPPORTED_HYPERVISOR, NOVA, "PciDeviceUnsupportedHypervisor", NOVA_EXCEPTION, 500, NULL) \
    X(KEY_MANAGER_ERROR, NOVA, "KeyManagerError", NOVA_EXCEPTION, 500, "key manager error: %(reason)s") \
    X(VOLUMES_NOT_REMOVED, NOVA, "VolumesNotRemoved", INVALID, 400, NULL) \
    X(VOLUME_REBASE_FAILED, NOVA, "VolumeRebaseFailed", NOVA_EXCEPTION, 500, NULL) \
    X(INVALID_VIDEO_MODE, NOVA, "InvalidVideoMode", INVALID, 400, "video model %(model)s is not supported") \
    X(RNG_DEVICE_NOT_EXIST, NOVA, "RngDeviceNotExist", INVALID, 400, "random number generator %(path)s does not exist") \
    X(REQUESTED_V_RAM_TOO_HIGH, NOVA, "RequestedVRamTooHigh", NOVA_EXCEPTION, 500, "video memory of %(req_vram)s MiB is more than the %(max_vram)s MiB of the flavor") \
    X(SECURITY_PROXY_NEGOTIATION_FAILED, NOVA, "SecurityProxyNegotiationFailed", NOVA_EXCEPTION, 500, NULL) \
    X(RFB_AUTH_HANDSHAKE_FAILED, NOVA, "RFBAuthHandshakeFailed", NOVA_EXCEPTION, 500, NULL) \
    X(RFB_AUTH_NO_AVAILABLE_SCHEME, NOVA, "RFBAuthNoAvailableScheme", NOVA_EXCEPTION, 500, NULL) \
    X(INVALID_WATCHDOG_ACTION, NOVA, "InvalidWatchdogAction", INVALID, 400, "watchdog action %(action)s is not valid") \
    X(LIVE_MIGRATION_NOT_SUBMITTED, NOVA, "LiveMigrationNotSubmitted", NOVA_EXCEPTION, 500, NULL) \
    X(SELECTION_OBJECTS_WITH_OLD_RPC_VERSION_NOT_SUPPORTED, NOVA, "SelectionObjectsWithOldRPCVersionNotSupported", NOVA_EXCEPTION, 500, NULL) \
    X(LIVE_MIGRATION_URI_NOT_AVAILABLE, NOVA, "LiveMigrationURINotAvailable", NOVA_EXCEPTION, 500, "no live migration URI for virtualisation type %(virt_type)s") \
    X(UNSHELVE_EXCEPTION, NOVA, "UnshelveException", NOVA_EXCEPTION, 500, "unshelve of instance %(instance_id)s failed: %(reason)s") \
    X(MISMATCH_VOLUME_AZ_EXCEPTION, NOVA, "MismatchVolumeAZException", INVALID, 409, NULL) \
    X(UNSHELVE_INSTANCE_INVALID_STATE, NOVA, "UnshelveInstanceInvalidState", INSTANCE_INVALID_STATE, 409, NULL) \
    X(UNSHELVE_HOST_NOT_IN_AZ, NOVA, "UnshelveHostNotInAZ", INVALID, 409, NULL) \
    X(IMAGE_VCPU_LIMITS_RANGE_EXCEEDED, NOVA, "ImageVCPULimitsRangeExceeded", INVALID, 400, "image limits %(image_sockets)s:%(image_cores)s:%(image_threads)s exceed flavor limits %(flavor_sockets)s:%(flavor_cores)s:%(flavor_threads)s (sockets:cores:threads)") \
    X(IMAGE_VCPU_TOPOLOGY_RANGE_EXCEEDED, NOVA, "ImageVCPUTopologyRangeExceeded", INVALID, 400, "image topology %(image_sockets)s:%(image_cores)s:%(image_threads)s exceeds the limits %(max_sockets)s:%(max_cores)s:%(max_threads)s (sockets:cores:threads)") \
    X(IMAGE_VCPU_LIMITS_RANGE_IMPOSSIBLE, NOVA, "ImageVCPULimitsRangeImpossible", INVALID, 400, "limits of %(sockets)s sockets, %(cores)s cores, %(threads)s threads cannot give %(vcpus)s vCPUs") \
    X(INVALID_ARCHITECTURE_NAME, NOVA, "InvalidArchitectureName", INVALID, 400, NULL) \
    X(IMAGE_NUMA_TOPOLOGY_INCOMPLETE, NOVA, "ImageNUMATopologyIncomplete", INVALID, 400, NULL) \
    X(IMAGE_NUMA_TOPOLOGY_FORBIDDEN, NOVA, "ImageNUMATopologyForbidden", FORBIDDEN, 403, NULL) \
    X(IMAGE_NUMA_TOPOLOGY_REBUILD_CONFLICT, NOVA, "ImageNUMATopologyRebuildConflict", INVALID, 400, NULL) \
    X(IMAGE_PCINUMA_POLICY_FORBIDDEN, NOVA, "ImagePCINUMAPolicyForbidden", FORBIDDEN, 403, NULL) \
    X(IMAGE_NUMA_TOPOLOGY_ASYMMETRIC, NOVA, "ImageNUMATopologyAsymmetric", INVALID, 400, NULL) \
    X(IMAGE_NUMA_TOPOLOGY_CPU_OUT_OF_RANGE, NOVA, "ImageNUMATopologyCPUOutOfRange", INVALID, 400, NULL) \
    X(IMAGE_NUMA_TOPOLOGY_CPU_DUPLICATES, NOVA, "ImageNUMATopologyCPUDuplicates", INVALID, 400, NULL) \
    X(IMAGE_NUMA_TOPOLOGY_CP_US_UNASSIGNED, NOVA, "ImageNUMATopologyCPUsUnassigned", INVALID, 400, NULL) \
    X(IMAGE_NUMA_TOPOLOGY_MEMORY_OUT_OF_RANGE, NOVA, "ImageNUMATopologyMemoryOutOfRange", INVALID, 400, NULL) \
    X(INVALID_HOSTNAME, NOVA, "InvalidHostname", INVALID, 400, "host name %(hostname)s is not valid") \
    X(NUMA_TOPOLOGY_NOT_FOUND, NOVA, "NumaTopologyNotFound", NOT_FOUND, 404, "instance %(instance_uuid)s has no NUMA topology") \
    X(MIGRATION_CONTEXT_NOT_FOUND, NOVA, "MigrationContextNotFound", NOT_FOUND, 404, "instance %(instance_uuid)s has no migration context") \
    X(SOCKET_PORT_RANGE_EXHAUSTED_EXCEPTION, NOVA, "SocketPortRangeExhaustedException", NOVA_EXCEPTION, 500, "no port is left on %(host)s") \
    X(SOCKET_PORT_IN_USE_EXCEPTION, NOVA, "SocketPortInUseException", NOVA_EXCEPTION, 500, "port %(port)s on %(host)s is in use: %(error)s") \
    X(IMAGE_SERIAL_PORT_NUMBER_INVALID, NOVA, "ImageSerialPortNumberInvalid", INVALID, 400, "hw_serial_port_count of %(num_ports)s is not valid") \
    X(IMAGE_SERIAL_PORT_NUMBER_EXCEED_FLAVOR_VALUE, NOVA, "ImageSerialPortNumberExceedFlavorValue", INVALID, 400, "the image asks for more serial ports than the flavor allows") \
    X(SERIAL_PORT_NUMBER_LIMIT_EXCEEDED, NOVA, "SerialPortNumberLimitExceeded", INVALID, 400, "at most %(allowed)s serial ports are possible with %(virt_type)s") \
    X(INVALID_IMAGE_CONFIG_DRIVE, NOVA, "InvalidImageConfigDrive", INVALID, 400, NULL) \
    X(INVALID_HYPERVISOR_VIRT_TYPE, NOVA, "InvalidHypervisorVirtType", INVALID, 400, "hypervisor type %(hv_type)s is not known") \
    X(INVALID_MACHINE_TYPE, NOVA, "InvalidMachineType", INVALID, 400, "machine type %(mtype)s of image %(image_name)s (%(image_id)s) is not valid: %(reason)s") \
    X(INVALID_MACHINE_TYPE_UPDATE, NOVA, "InvalidMachineTypeUpdate", INVALID, 400, NULL) \
    X(UNSUPPORTED_MACHINE_TYPE, NOVA, "UnsupportedMachineType", INVALID, 400, "machine type %(machine_type)s is not supported") \
    X(INVALID_VIRTUAL_MACHINE_MODE, NOVA, "InvalidVirtualMachineMode", INVALID, 400, "virtual machine mode %(vmmode)s is not known") \
    X(INVALID_TOKEN, NOVA, "InvalidToken", INVALID, 400, "token %(token)s is not valid or has expired") \
    X(TOKEN_IN_USE, NOVA, "TokenInUse", INVALID, 400, "the token is already in use") \
    X(INVALID_CONNECTION_INFO, NOVA, "InvalidConnectionInfo", INVALID, 400, "the connection info is not valid") \
    X(INSTANCE_QUIESCE_NOT_SUPPORTED, NOVA, "InstanceQuiesceNotSupported", INVALID, 400, "instance %(instance_id)s cannot be quiesced") \
    X(INSTANCE_AGENT_NOT_ENABLED, NOVA, "InstanceAgentNotEnabled", INVALID, 400, "the guest agent is not enabled") \
    X(QEMU_GUEST_AGENT_NOT_ENABLED, NOVA, "QemuGuestAgentNotEnabled", INSTANCE_AGENT_NOT_ENABLED, 400, "the QEMU guest agent is not enabled") \
    X(SET_ADMIN_PASSWD_NOT_SUPPORTED, NOVA, "SetAdminPasswdNotSupported", INVALID, 400, "setting the admin password is not supported") \
    X(MEMORY_PAGE_SIZE_INVALID, NOVA, "MemoryPageSizeInvalid", INVALID, 400, "memory page size %(pagesize)s is not valid") \
    X(MEMORY_PAGE_SIZE_FORBIDDEN, NOVA, "MemoryPageSizeForbidden", INVALID, 400, NULL) \
    X(MEMORY_PAGE_SIZE_NOT_SUPPORTED, NOVA, "MemoryPageSizeNotSupported", INVALID, 400, NULL) \
    X(LOCK_MEMORY_FORBIDDEN, NOVA, "LockMemoryForbidden", FORBIDDEN, 403, NULL) \
    X(FLAVOR_IMAGE_LOCKED_MEMORY_CONFLICT, NOVA, "FlavorImageLockedMemoryConflict", NOVA_EXCEPTION, 500, NULL) \
    X(CPU_PINNING_INVALID, NOVA, "CPUPinningInvalid", INVALID, 400, NULL) \
    X(CPU_UNPINNING_INVALID, NOVA, "CPUUnpinningInvalid", INVALID, 400, NULL) \
    X(CPU_PINNING_UNKNOWN, NOVA, "CPUPinningUnknown", INVALID, 400, NULL) \
    X(CPU_UNPINNING_UNKNOWN, NOVA, "CPUUnpinningUnknown", INVALID, 400, NULL) \
    X(IMAGE_CPU_PINNING_FORBIDDEN, NOVA, "ImageCPUPinningForbidden", FORBIDDEN, 403, NULL) \
    X(IMAGE_CPU_THREAD_POLICY_FORBIDDEN, NOVA, "ImageCPUThreadPolicyForbidden", FORBIDDEN, 403, NULL) \
    X(UNSUPPORTED_POLICY_EXCEPTION, NOVA, "UnsupportedPolicyException", INVALID, 400, NULL) \
    X(CELL_MAPPING_NOT_FOUND, NOVA, "CellMappingNotFound", NOT_FOUND, 404, NULL) \
    X(NUMA_TOPOLOGY_UNSUPPORTED, NOVA, "NUMATopologyUnsupported", INVALID, 400, NULL) \
    X(MEMORY_PAGES_UNSUPPORTED, NOVA, "MemoryPagesUnsupported", INVALID, 400, NULL) \
    X(INVALID_IMAGE_FORMAT, NOVA, "InvalidImageFormat", INVALID, 400, NULL) \
    X(UNSUPPORTED_IMAGE_MODEL, NOVA, "UnsupportedImageModel", INVALID, 400, NULL) \
    X(HOST_MAPPING_NOT_FOUND, NOVA, "HostMappingNotFound", INVALID, 400, NULL) \
    X(HOST_MAPPING_EXISTS, NOVA, "HostMappingExists", INVALID, 400, NULL) \
    X(REALTIME_CONFIGURATION_INVALID, NOVA, "RealtimeConfigurationInvalid", INVALID, 400, NULL) \
    X(CPU_THREAD_POLICY_CONFIGURATION_INVALID, NOVA, "CPUThreadPolicyConfigurationInvalid", INVALID, 400, NULL) \
    X(REQUEST_SPEC_NOT_FOUND, NOVA, "RequestSpecNotFound", NOT_FOUND, 404, NULL) \
    X(UEFI_NOT_SUPPORTED, NOVA, "UEFINotSupported", INVALID, 400, "UEFI is not supported") \
    X(SECURE_BOOT_NOT_SUPPORTED, NOVA, "SecureBootNotSupported", INVALID, 400, "secure boot is not supported") \
    X(FIRMWARE_SMM_NOT_SUPPORTED, NOVA, "FirmwareSMMNotSupported", INVALID, 400, "this firmware needs SMM, which the machine type does not have") \
    X(TRIGGER_CRASH_DUMP_NOT_SUPPORTED, NOVA, "TriggerCrashDumpNotSupported", INVALID, 400, "triggering a crash dump is not supported") \
    X(UNSUPPORTED_HOST_CPU_CONTROL_POLICY, NOVA, "UnsupportedHostCPUControlPolicy", INVALID, 400, NULL) \
    X(LIBGUESTFS_CANNOT_READ_KERNEL, NOVA, "LibguestfsCannotReadKernel", INVALID, 400, NULL) \
    X(REALTIME_MASK_NOT_FOUND_OR_INVALID, NOVA, "RealtimeMaskNotFoundOrInvalid", INVALID, 400, NULL) \
    X(OS_INFO_NOT_FOUND, NOVA, "OsInfoNotFound", NOT_FOUND, 404, NULL) \
    X(BUILD_REQUEST_NOT_FOUND, NOVA, "BuildRequestNotFound", NOT_FOUND, 404, NULL) \
    X(ATTACH_INTERFACE_NOT_SUPPORTED, NOVA, "AttachInterfaceNotSupported", INVALID, 400, "attaching an interface to instance %(instance_uuid)s is not supported") \
    X(ATTACH_INTERFACE_WITH_QO_S_POLICY_NOT_SUPPORTED, NOVA, "AttachInterfaceWithQoSPolicyNotSupported", ATTACH_INTERFACE_NOT_SUPPORTED, 400, NULL) \
    X(ATTACH_WITH_EXTENDED_QO_S_POLICY_NOT_SUPPORTED, NOVA, "AttachWithExtendedQoSPolicyNotSupported", ATTACH_INTERFACE_NOT_SUPPORTED, 400, NULL) \
    X(NETWORKS_WITH_QO_S_POLICY_NOT_SUPPORTED, NOVA, "NetworksWithQoSPolicyNotSupported", INVALID, 400, "network %(network_id)s has a QoS policy, which instance %(instance_uuid)s cannot have") \
    X(CREATE_WITH_PORT_RESOURCE_REQUEST_OLD_VERSION, NOVA, "CreateWithPortResourceRequestOldVersion", INVALID, 400, NULL) \
    X(EXTENDED_RESOURCE_REQUEST_OLD_COMPUTE, NOVA, "ExtendedResourceRequestOldCompute", INVALID, 400, NULL) \
    X(INVALID_RESERVED_MEMORY_PAGES_OPTION, NOVA, "InvalidReservedMemoryPagesOption", INVALID, 400, NULL) \
    X(RESOURCE_PROVIDER_IN_USE, NOVA, "ResourceProviderInUse", NOVA_EXCEPTION, 500, NULL) \
    X(RESOURCE_PROVIDER_RETRIEVAL_FAILED, NOVA, "ResourceProviderRetrievalFailed", NOVA_EXCEPTION, 500, "resource provider %(uuid)s cannot be read") \
    X(RESOURCE_PROVIDER_AGGREGATE_RETRIEVAL_FAILED, NOVA, "ResourceProviderAggregateRetrievalFailed", NOVA_EXCEPTION, 500, NULL) \
    X(RESOURCE_PROVIDER_TRAIT_RETRIEVAL_FAILED, NOVA, "ResourceProviderTraitRetrievalFailed", NOVA_EXCEPTION, 500, NULL) \
    X(RESOURCE_PROVIDER_CREATION_FAILED, NOVA, "ResourceProviderCreationFailed", NOVA_EXCEPTION, 500, "resource provider %(name)s cannot be created") \
    X(RESOURCE_PROVIDER_DELETION_FAILED, NOVA, "ResourceProviderDeletionFailed", NOVA_EXCEPTION, 500, NULL) \
    X(RESOURCE_PROVIDER_UPDATE_FAILED, NOVA, "ResourceProviderUpdateFailed", NOVA_EXCEPTION, 500, "resource provider at %(url)s cannot be updated: %(error)s") \
    X(RESOURCE_PROVIDER_NOT_FOUND, NOVA, "ResourceProviderNotFound", NOT_FOUND, 404, "resource provider %(name_or_uuid)s was not found") \
    X(RESOURCE_PROVIDER_SYNC_FAILED, NOVA, "ResourceProviderSyncFailed", NOVA_EXCEPTION, 500, NULL) \
    X(PLACEMENT_API_CONNECT_FAILURE, NOVA, "PlacementAPIConnectFailure", NOVA_EXCEPTION, 500, "cannot reach the placement API") \
    X(PLACEMENT_API_CONFLICT, NOVA, "PlacementAPIConflict", NOVA_EXCEPTION, 500, NULL) \
    X(RESOURCE_PROVIDER_UPDATE_CONFLICT, NOVA, "ResourceProviderUpdateConflict", PLACEMENT_API_CONFLICT, 500, "resource provider %(uuid)s was changed meanwhile (generation %(generation)s): %(error)s") \
    X(PLACEMENT_RESHAPE_CONFLICT, NOVA, "PlacementReshapeConflict", PLACEMENT_API_CONFLICT, 500, NULL) \
    X(INVALID_RESOURCE_CLASS, NOVA, "InvalidResourceClass", INVALID, 400, NULL) \
    X(INVALID_INVENTORY, NOVA, "InvalidInventory", INVALID, 400, NULL) \
    X(INVENTORY_IN_USE, NOVA, "InventoryInUse", INVALID_INVENTORY, 400, NULL) \
    X(USAGES_RETRIEVAL_FAILED, NOVA, "UsagesRetrievalFailed", NOVA_EXCEPTION, 500, NULL) \
    X(NOT_SUPPORTED_WITH_OPTION, NOVA, "NotSupportedWithOption", INVALID, 400, "%(operation)s is not supported with option %(option)s") \
    X(UNAUTHORIZED, NOVA, "Unauthorized", NOVA_EXCEPTION, 401, "the credentials are not accepted") \
    X(NEUTRON_ADMIN_CREDENTIAL_CONFIGURATION_INVALID, NOVA, "NeutronAdminCredentialConfigurationInvalid", INVALID, 400, "Neutron does not accept the credentials of the configuration") \
    X(INVALID_EMULATOR_THREADS_POLICY, NOVA, "InvalidEmulatorThreadsPolicy", INVALID, 400, NULL) \
    X(INVALID_CPU_ALLOCATION_POLICY, NOVA, "InvalidCPUAllocationPolicy", INVALID, 400, NULL) \
    X(INVALID_CPU_THREAD_ALLOCATION_POLICY, NOVA, "InvalidCPUThreadAllocationPolicy", INVALID, 400, NULL) \
    X(BAD_REQUIREMENT_EMULATOR_THREADS_POLICY, NOVA, "BadRequirementEmulatorThreadsPolicy", INVALID, 400, NULL) \
    X(INVALID_NETWORK_NUMA_AFFINITY, NOVA, "InvalidNetworkNUMAAffinity", INVALID, 400, NULL) \
    X(INVALID_PCINUMA_AFFINITY, NOVA, "InvalidPCINUMAAffinity", INVALID, 400, NULL) \
    X(TRAIT_RETRIEVAL_FAILED, NOVA, "TraitRetrievalFailed", NOVA_EXCEPTION, 500, "traits cannot be read: %(error)s") \
    X(TRAIT_CREATION_FAILED, NOVA, "TraitCreationFailed", NOVA_EXCEPTION, 500, "trait %(name)s cannot be created: %(error)s") \
    X(CANNOT_MIGRATE_TO_SAME_HOST, NOVA, "CannotMigrateToSameHost", NOVA_EXCEPTION, 500, NULL) \
    X(VIRT_DRIVER_NOT_READY, NOVA, "VirtDriverNotReady", NOVA_EXCEPTION, 500, "the hypervisor driver is not ready") \
    X(INVALID_PEER_LIST, NOVA, "InvalidPeerList", NOVA_EXCEPTION, 500, NULL) \
    X(INSTANCE_DISK_MAPPING_FAILED, NOVA, "InstanceDiskMappingFailed", NOVA_EXCEPTION, 500, NULL) \
    X(NEW_MGMT_MAPPING_NOT_FOUND_EXCEPTION, NOVA, "NewMgmtMappingNotFoundException", NOVA_EXCEPTION, 500, NULL) \
    X(NO_DISK_DISCOVERY_EXCEPTION, NOVA, "NoDiskDiscoveryException", NOVA_EXCEPTION, 500, NULL) \
    X(UNIQUE_DISK_DISCOVERY_EXCEPTION, NOVA, "UniqueDiskDiscoveryException", NOVA_EXCEPTION, 500, NULL) \
    X(DEVICE_DELETION_EXCEPTION, NOVA, "DeviceDeletionException", NOVA_EXCEPTION, 500, NULL) \
    X(OPT_REQUIRED_IF_OTHER_OPT_VALUE, NOVA, "OptRequiredIfOtherOptValue", NOVA_EXCEPTION, 500, NULL) \
    X(ALLOCATION_CREATE_FAILED, NOVA, "AllocationCreateFailed", NOVA_EXCEPTION, 500, NULL) \
    X(ALLOCATION_UPDATE_FAILED, NOVA, "AllocationUpdateFailed", NOVA_EXCEPTION, 500, "allocations of consumer %(consumer_uuid)s cannot be updated: %(error)s") \
    X(ALLOCATION_MOVE_FAILED, NOVA, "AllocationMoveFailed", NOVA_EXCEPTION, 500, "allocations of consumer %(source_consumer)s cannot be moved to %(target_consumer)s: %(error)s") \
    X(ALLOCATION_DELETE_FAILED, NOVA, "AllocationDeleteFailed", NOVA_EXCEPTION, 500, "allocations of consumer %(consumer_uuid)s cannot be deleted: %(error)s") \
    X(TOO_MANY_COMPUTES_FOR_HOST, NOVA, "TooManyComputesForHost", NOVA_EXCEPTION, 500, NULL) \
    X(CERTIFICATE_VALIDATION_FAILED, NOVA, "CertificateValidationFailed", NOVA_EXCEPTION, 500, "certificate %(cert_uuid)s cannot be validated: %(reason)s") \
    X(INSTANCE_RESCUE_FAILURE, NOVA, "InstanceRescueFailure", NOVA_EXCEPTION, 500, "rescue failed: %(reason)s") \
    X(INSTANCE_UN_RESCUE_FAILURE, NOVA, "InstanceUnRescueFailure", NOVA_EXCEPTION, 500, "unrescue failed: %(reason)s") \
    X(IRONIC_API_VERSION_NOT_AVAILABLE, NOVA, "IronicAPIVersionNotAvailable", NOVA_EXCEPTION, 500, NULL) \
    X(NO_RESOURCE_CLASS, NOVA, "NoResourceClass", NOVA_EXCEPTION, 500, "node %(node)s has no resource class") \
    X(RESOURCE_PROVIDER_ALLOCATION_RETRIEVAL_FAILED, NOVA, "ResourceProviderAllocationRetrievalFailed", NOVA_EXCEPTION, 500, NULL) \
    X(CONSUMER_ALLOCATION_RETRIEVAL_FAILED, NOVA, "ConsumerAllocationRetrievalFailed", NOVA_EXCEPTION, 500, "allocations of consumer %(consumer_uuid)s cannot be read: %(error)s") \
    X(RESHAPE_FAILED, NOVA, "ReshapeFailed", NOVA_EXCEPTION, 500, "reshaping the resource providers failed: %(error)s") \
    X(RESHAPE_NEEDED, NOVA, "ReshapeNeeded", NOVA_EXCEPTION, 500, NULL) \
    X(FLAVOR_IMAGE_CONFLICT, NOVA, "FlavorImageConflict", NOVA_EXCEPTION, 500, "%(setting)s of the flavor (%(flavor_val)s) and of the image (%(image_val)s) contradict each other") \
    X(MISSING_DOMAIN_CAPABILITY_FEATURE_EXCEPTION, NOVA, "MissingDomainCapabilityFeatureException", NOVA_EXCEPTION, 500, "libvirt does not offer the domain capability %(feature)s") \
    X(HEAL_ALLOCATION_EXCEPTION, NOVA, "HealAllocationException", NOVA_EXCEPTION, 500, NULL) \
    X(HEALV_GPU_ALLOCATION_NOT_SUPPORTED, NOVA, "HealvGPUAllocationNotSupported", HEAL_ALLOCATION_EXCEPTION, 500, NULL) \
    X(HEAL_DEVICE_PROFILE_ALLOCATION_NOT_SUPPORTED, NOVA, "HealDeviceProfileAllocationNotSupported", HEAL_ALLOCATION_EXCEPTION, 500, NULL) \
    X(HEAL_PORT_ALLOCATION_EXCEPTION, NOVA, "HealPortAllocationException", NOVA_EXCEPTION, 500, NULL) \
    X(UNABLE_TO_QUERY_PORTS, NOVA, "UnableToQueryPorts", HEAL_PORT_ALLOCATION_EXCEPTION, 500, NULL) \
    X(UNABLE_TO_UPDATE_PORTS, NOVA, "UnableToUpdatePorts", HEAL_PORT_ALLOCATION_EXCEPTION, 500, NULL) \
    X(UNABLE_TO_ROLLBACK_PORT_UPDATES, NOVA, "UnableToRollbackPortUpdates", HEAL_PORT_ALLOCATION_EXCEPTION, 500, NULL) \
    X(ASSIGNED_RESOURCE_NOT_FOUND, NOVA, "AssignedResourceNotFound", NOVA_EXCEPTION, 500, NULL) \
    X(PMEM_NAMESPACE_CONFIG_INVALID, NOVA, "PMEMNamespaceConfigInvalid", NOVA_EXCEPTION, 500, NULL) \
    X(GET_PMEM_NAMESPACES_FAILED, NOVA, "GetPMEMNamespacesFailed", NOVA_EXCEPTION, 500, NULL) \
    X(VPMEM_CLEANUP_FAILED, NOVA, "VPMEMCleanupFailed", NOVA_EXCEPTION, 500, NULL) \
    X(REQUEST_GROUP_SUFFIX_CONFLICT, NOVA, "RequestGroupSuffixConflict", NOVA_EXCEPTION, 500, NULL) \
    X(AMBIGUOUS_RESOURCE_PROVIDER_FOR_PCI_REQUEST, NOVA, "AmbiguousResourceProviderForPCIRequest", NOVA_EXCEPTION, 500, NULL) \
    X(UNEXPECTED_RESOURCE_PROVIDER_NAME_FOR_PCI_REQUEST, NOVA, "UnexpectedResourceProviderNameForPCIRequest", NOVA_EXCEPTION, 500, NULL) \
    X(DEVICE_PROFILE_ERROR, NOVA, "DeviceProfileError", NOVA_EXCEPTION, 500, NULL) \
    X(ACCELERATOR_REQUEST_OP_FAILED, NOVA, "AcceleratorRequestOpFailed", NOVA_EXCEPTION, 500, NULL) \
    X(ACCELERATOR_REQUEST_BINDING_FAILED, NOVA, "AcceleratorRequestBindingFailed", NOVA_EXCEPTION, 500, NULL) \
    X(INVALID_LIBVIRT_MDEV_CONFIG, NOVA, "InvalidLibvirtMdevConfig", NOVA_EXCEPTION, 500, NULL) \
    X(REQUIRED_MIXED_INSTANCE_POLICY, NOVA, "RequiredMixedInstancePolicy", INVALID, 400, NULL) \
    X(REQUIRED_MIXED_OR_REALTIME_CPU_MASK, NOVA, "RequiredMixedOrRealtimeCPUMask", INVALID, 400, NULL) \
    X(MIXED_INSTANCE_NOT_SUPPORT_BY_COMPUTE_SERVICE, NOVA, "MixedInstanceNotSupportByComputeService", NOVA_EXCEPTION, 500, NULL) \
    X(INVALID_MIXED_INSTANCE_DEDICATED_MASK, NOVA, "InvalidMixedInstanceDedicatedMask", INVALID, 400, NULL) \
    X(PROVIDER_CONFIG_EXCEPTION, NOVA, "ProviderConfigException", NOVA_EXCEPTION, 500, NULL) \
    X(PLACEMENT_PCI_EXCEPTION, NOVA, "PlacementPciException", NOVA_EXCEPTION, 500, NULL) \
    X(PLACEMENT_PCI_DEPENDENT_DEVICE_EXCEPTION, NOVA, "PlacementPciDependentDeviceException", PLACEMENT_PCI_EXCEPTION, 500, NULL) \
    X(PLACEMENT_PCI_MIXED_RESOURCE_CLASS_EXCEPTION, NOVA, "PlacementPciMixedResourceClassException", PLACEMENT_PCI_EXCEPTION, 500, NULL) \
    X(PLACEMENT_PCI_MIXED_TRAITS_EXCEPTION, NOVA, "PlacementPciMixedTraitsException", PLACEMENT_PCI_EXCEPTION, 500, NULL) \
    X(REIMAGE_EXCEPTION, NOVA, "ReimageException", NOVA_EXCEPTION, 500, "reimaging the volume failed") \
    X(DUPLICATE_RECORD, NOVA, "DuplicateRecord", NOVA_EXCEPTION, 500, NULL) /* 2023.1 */ \
    X(NOT_IMPLEMENTED_ERROR, BUILTINS, "NotImplementedError", NOT_IMPLEMENTED_ERROR, 500, NULL) \
    X(TYPE_ERROR, BUILTINS, "TypeError", TYPE_ERROR, 500, NULL) \
    X(VALUE_ERROR, BUILTINS, "ValueError", VALUE_ERROR, 500, NULL) \
    X(KEY_ERROR, BUILTINS, "KeyError", KEY_ERROR, 500, NULL) \
    X(ATTRIBUTE_ERROR, BUILTINS, "AttributeError", ATTRIBUTE_ERROR, 500, NULL) \
    X(RUNTIME_ERROR, BUILTINS, "RuntimeError", RUNTIME_ERROR, 500, NULL) \
    X(BUILTIN_EXCEPTION, BUILTINS, "Exception", BUILTIN_EXCEPTION, 500, NULL) \
    X(UNSUPPORTED_VERSION, DISPATCHER, "UnsupportedVersion", UNSUPPORTED_VERSION, 500, NULL) \
    X(NO_SUCH_METHOD, DISPATCHER, "NoSuchMethod", NO_SUCH_METHOD, 500, NULL) \
    X(INCOMPATIBLE_OBJECT_VERSION, VERSIONED, "IncompatibleObjectVersion", INCOMPATIBLE_OBJECT_VERSION, 500, NULL) \
    X(UNSUPPORTED_OBJECT_ERROR, VERSIONED, "UnsupportedObjectError", UNSUPPORTED_OBJECT_ERROR, 500, NULL) \
    X(MESSAGING_TIMEOUT, MESSAGING, "MessagingTimeout", MESSAGING_TIMEOUT, 500, NULL) \
    /* end */
/* clang-format on */
