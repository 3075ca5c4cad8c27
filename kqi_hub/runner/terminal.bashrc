# What bash reads in a terminal of a notebook: first all that a login reads, then the
# prompt is made to show the compute node.
if [ -r /etc/profile ]; then . /etc/profile; fi
if [ -r ~/.bash_profile ]; then . ~/.bash_profile
elif [ -r ~/.bash_login ]; then . ~/.bash_login
elif [ -r ~/.profile ]; then . ~/.profile
elif [ -r ~/.bashrc ]; then . ~/.bashrc
fi
# What was read may have set the path anew: `jupyter` is found all the same, last.
case ":$PATH:" in
*":$KQI_SESSION_TOOLS:"*) ;;
*) PATH=$PATH:$KQI_SESSION_TOOLS ;;
esac
# `conda activate NAME` works whether the person's own files know of it or not.
if [ -r "$KQI_SESSION_CONDA" ]; then . "$KQI_SESSION_CONDA"; fi
_kqi_node=${SLURMD_NODENAME:-${HOSTNAME%%.*}}
case $PS1 in
'\s-\v\$ ') PS1='[\u@'$_kqi_node' \W]\$ ' ;;
*'\h'* | *'\H'*) PS1=${PS1//\\[hH]/$_kqi_node} ;;
*"$_kqi_node"*) ;;
*) PS1="($_kqi_node) $PS1" ;;
esac
unset _kqi_node
