# Sourced by the scripts that start mpirun. Root, as in a container, and more ranks than cores, as on
# a laptop, are fine for a sweep: ranks only supervise, and trainers share the cores by themselves.
# Open MPI 4 and 5 want to be told; other MPIs do not look at these.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
